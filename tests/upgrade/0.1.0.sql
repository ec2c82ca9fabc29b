-- {"seconds": 70.0, "disabled": {"compute-1": "Fenix maintenance session simulation", "compute-2": "Fenix maintenance session simulation"}, "places": {"i-1": "compute-1", "i-2": "compute-2"}}
BEGIN TRANSACTION;
CREATE TABLE action_runs (
	id VARCHAR(36) NOT NULL, 
	session_id VARCHAR(36) NOT NULL, 
	"key" VARCHAR(400) NOT NULL, 
	plugin VARCHAR(64) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	host VARCHAR(255), 
	metadata JSON NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	error TEXT, 
	log TEXT NOT NULL, 
	executor VARCHAR(255) NOT NULL, 
	CONSTRAINT pk_action_runs PRIMARY KEY (id), 
	CONSTRAINT uq_action_runs_session_id_key UNIQUE (session_id, "key")
);
INSERT INTO "action_runs" VALUES('3ec1a460-390a-5e82-a2ed-0d2267bea3f0','simulation','compute-3:host:0:simulated','simulated','host','compute-3','{"seconds": 60.0}','DONE','2030-01-01 00:00:10.000000','2030-01-01 00:01:10.000000',NULL,'','simulation');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE deliveries (
	id INTEGER NOT NULL, 
	message_id VARCHAR(36) NOT NULL, 
	session_id VARCHAR(36) NOT NULL, 
	channel VARCHAR(64) NOT NULL, 
	target VARCHAR(36) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	attempts INTEGER NOT NULL, 
	due_at DATETIME NOT NULL, 
	error TEXT, 
	delivered_at DATETIME, requested_at DATETIME, 
	CONSTRAINT pk_deliveries PRIMARY KEY (id)
);
INSERT INTO "deliveries" VALUES(1,'1ff909f7-734b-534b-8f72-4465320b8720','simulation','simulated','','DELIVERED',1,'2030-01-01 00:00:00.000000',NULL,'2030-01-01 00:00:00.000000',NULL);
INSERT INTO "deliveries" VALUES(2,'44a88acc-b36d-5f51-9987-c960aa2d6e25','simulation','simulated','','DELIVERED',1,'2030-01-01 00:00:00.000000',NULL,'2030-01-01 00:00:00.000000',NULL);
INSERT INTO "deliveries" VALUES(3,'2e96f3d1-f931-5fa6-96da-a917fcf151be','simulation','simulated','','DELIVERED',1,'2030-01-01 00:00:10.000000',NULL,'2030-01-01 00:00:10.000000',NULL);
INSERT INTO "deliveries" VALUES(4,'832b3a45-654f-59bf-9aa3-fe1f2c5a1885','simulation','simulated','','DELIVERED',1,'2030-01-01 00:00:10.000000',NULL,'2030-01-01 00:00:10.000000',NULL);
INSERT INTO "deliveries" VALUES(5,'c2e2f533-c262-5fe7-9f99-c040b37b177b','simulation','simulated','','DELIVERED',1,'2030-01-01 00:01:10.000000',NULL,'2030-01-01 00:01:10.000000',NULL);
CREATE TABLE engines (
	id VARCHAR(64) NOT NULL, 
	hostname VARCHAR(255) NOT NULL, 
	pid INTEGER NOT NULL, 
	version VARCHAR(64) NOT NULL, 
	started_at DATETIME NOT NULL, 
	seen_at DATETIME NOT NULL, 
	beat INTEGER NOT NULL, 
	CONSTRAINT pk_engines PRIMARY KEY (id)
);
INSERT INTO "engines" VALUES('engine-of-the-release-before','simulation',8711,'0.1.0','2030-01-01 00:00:00.000000','2030-01-01 00:00:00.000000',1);
CREATE TABLE group_constraints (
	group_id VARCHAR(64) NOT NULL, 
	project_id VARCHAR(64) NOT NULL, 
	group_name VARCHAR(255) NOT NULL, 
	anti_affinity_group BOOLEAN NOT NULL, 
	max_instances_per_host INTEGER NOT NULL, 
	max_impacted_members INTEGER NOT NULL, 
	recovery_time INTEGER NOT NULL, 
	resource_mitigation BOOLEAN NOT NULL, 
	CONSTRAINT pk_group_constraints PRIMARY KEY (group_id)
);
INSERT INTO "group_constraints" VALUES('pair','app','pair',1,0,1,5,0);
CREATE TABLE instance_constraints (
	instance_id VARCHAR(64) NOT NULL, 
	project_id VARCHAR(64) NOT NULL, 
	group_id VARCHAR(64) NOT NULL, 
	instance_name VARCHAR(255) NOT NULL, 
	max_interruption_time INTEGER NOT NULL, 
	migration_type VARCHAR(16) NOT NULL, 
	resource_mitigation BOOLEAN NOT NULL, 
	lead_time INTEGER NOT NULL, 
	CONSTRAINT pk_instance_constraints PRIMARY KEY (instance_id)
);
INSERT INTO "instance_constraints" VALUES('i-1','app','pair','name-of-i-1',120,'LIVE_MIGRATE',0,120);
INSERT INTO "instance_constraints" VALUES('i-2','app','pair','name-of-i-2',120,'LIVE_MIGRATE',0,120);
CREATE TABLE leases (
	session_id VARCHAR(36) NOT NULL, 
	owner VARCHAR(64), 
	epoch INTEGER NOT NULL, 
	beat INTEGER NOT NULL, 
	writes INTEGER NOT NULL, 
	CONSTRAINT pk_leases PRIMARY KEY (session_id)
);
INSERT INTO "leases" VALUES('simulation','engine-of-the-release-before',1,2,13);
CREATE TABLE locks (
	name VARCHAR(64) NOT NULL, 
	taken INTEGER NOT NULL, 
	CONSTRAINT pk_locks PRIMARY KEY (name)
);
INSERT INTO "locks" VALUES('admission',0);
CREATE TABLE messages (
	id VARCHAR(36) NOT NULL, 
	session_id VARCHAR(36) NOT NULL, 
	"key" VARCHAR(400) NOT NULL, 
	sequence INTEGER NOT NULL, 
	event_type VARCHAR(32) NOT NULL, 
	project_id VARCHAR(64) NOT NULL, 
	state VARCHAR(32) NOT NULL, 
	payload JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	instance_ids JSON NOT NULL, 
	reply_by DATETIME, 
	reply JSON, 
	replied_at DATETIME, 
	CONSTRAINT pk_messages PRIMARY KEY (id), 
	CONSTRAINT uq_messages_session_id_key UNIQUE (session_id, "key"), 
	CONSTRAINT uq_messages_session_id_sequence UNIQUE (session_id, sequence)
);
INSERT INTO "messages" VALUES('1ff909f7-734b-534b-8f72-4465320b8720','simulation','session:1',1,'maintenance.session','admin','MAINTENANCE','{"service": "fenix", "session_id": "simulation", "message_id": "1ff909f7-734b-534b-8f72-4465320b8720", "sequence": 1, "project_id": "admin", "state": "MAINTENANCE", "percent_done": 0, "detail": "created"}','2030-01-01 00:00:00.000000','[]',NULL,NULL,NULL);
INSERT INTO "messages" VALUES('44a88acc-b36d-5f51-9987-c960aa2d6e25','simulation','MAINTENANCE:app',2,'maintenance.scheduled','app','MAINTENANCE','{"service": "fenix", "session_id": "simulation", "message_id": "44a88acc-b36d-5f51-9987-c960aa2d6e25", "sequence": 2, "project_id": "app", "state": "MAINTENANCE", "instance_ids": "http://127.0.0.1:12347/v1/maintenance/simulation/app", "reply_url": "http://127.0.0.1:12347/v1/maintenance/simulation/app", "allowed_actions": [], "actions_at": "2030-01-01T00:00:10", "reply_at": "2030-01-01T00:00:10", "metadata": {}}','2030-01-01 00:00:00.000000','["i-1", "i-2"]','2030-01-01 00:00:10.000000','{"state": "ACK_MAINTENANCE", "instance_actions": {}}','2030-01-01 00:00:10.000000');
INSERT INTO "messages" VALUES('2e96f3d1-f931-5fa6-96da-a917fcf151be','simulation','session:3',3,'maintenance.session','admin','START_MAINTENANCE','{"service": "fenix", "session_id": "simulation", "message_id": "2e96f3d1-f931-5fa6-96da-a917fcf151be", "sequence": 3, "project_id": "admin", "state": "START_MAINTENANCE", "percent_done": 0, "detail": ""}','2030-01-01 00:00:10.000000','[]',NULL,NULL,NULL);
INSERT INTO "messages" VALUES('832b3a45-654f-59bf-9aa3-fe1f2c5a1885','simulation','IN_MAINTENANCE:compute-3',4,'maintenance.host','admin','IN_MAINTENANCE','{"service": "fenix", "session_id": "simulation", "message_id": "832b3a45-654f-59bf-9aa3-fe1f2c5a1885", "sequence": 4, "project_id": "admin", "host": "compute-3", "state": "IN_MAINTENANCE"}','2030-01-01 00:00:10.000000','[]',NULL,NULL,NULL);
INSERT INTO "messages" VALUES('c2e2f533-c262-5fe7-9f99-c040b37b177b','simulation','MAINTENANCE_COMPLETE:compute-3',5,'maintenance.host','admin','MAINTENANCE_COMPLETE','{"service": "fenix", "session_id": "simulation", "message_id": "c2e2f533-c262-5fe7-9f99-c040b37b177b", "sequence": 5, "project_id": "admin", "host": "compute-3", "state": "MAINTENANCE_COMPLETE"}','2030-01-01 00:01:10.000000','[]',NULL,NULL,NULL);
CREATE TABLE moves (
	session_id VARCHAR(36) NOT NULL, 
	"key" VARCHAR(400) NOT NULL, 
	instance_id VARCHAR(64) NOT NULL, 
	source VARCHAR(255) NOT NULL, 
	target VARCHAR(255), 
	action VARCHAR(16) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	cloud_id VARCHAR(64), 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	error TEXT, 
	CONSTRAINT pk_moves PRIMARY KEY (session_id, "key")
);
CREATE TABLE replies (
	id INTEGER NOT NULL, 
	session_id VARCHAR(36) NOT NULL, 
	project_id VARCHAR(64) NOT NULL, 
	instance_id VARCHAR(64), 
	state VARCHAR(40) NOT NULL, 
	instance_actions JSON NOT NULL, 
	received_at DATETIME NOT NULL, 
	outcome VARCHAR(190), 
	CONSTRAINT pk_replies PRIMARY KEY (id)
);
INSERT INTO "replies" VALUES(1,'simulation','app',NULL,'ACK_MAINTENANCE','{}','2030-01-01 00:00:01.000000','answers MAINTENANCE:app');
CREATE TABLE session_hosts (
	session_id VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	type VARCHAR(16) NOT NULL, 
	state VARCHAR(32) NOT NULL, 
	disabled_by_us BOOLEAN NOT NULL, 
	why TEXT NOT NULL, 
	started_at DATETIME, 
	finished_at DATETIME, 
	CONSTRAINT pk_session_hosts PRIMARY KEY (session_id, name)
);
INSERT INTO "session_hosts" VALUES('simulation','compute-1','compute','PENDING',1,'',NULL,NULL);
INSERT INTO "session_hosts" VALUES('simulation','compute-2','compute','PENDING',1,'',NULL,NULL);
INSERT INTO "session_hosts" VALUES('simulation','compute-3','compute','MAINTAINED',1,'all its actions are done','2030-01-01 00:00:10.000000','2030-01-01 00:01:10.000000');
CREATE TABLE session_instances (
	session_id VARCHAR(36) NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	project_id VARCHAR(64) NOT NULL, 
	host VARCHAR(255) NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	action VARCHAR(16), 
	target VARCHAR(255), 
	replaced_by VARCHAR(64), 
	why TEXT NOT NULL, 
	CONSTRAINT pk_session_instances PRIMARY KEY (session_id, id)
);
CREATE TABLE session_projects (
	session_id VARCHAR(36) NOT NULL, 
	id VARCHAR(64) NOT NULL, 
	reached BOOLEAN NOT NULL, 
	state VARCHAR(32), 
	reply VARCHAR(40), 
	instance_ids JSON NOT NULL, 
	CONSTRAINT pk_session_projects PRIMARY KEY (session_id, id)
);
INSERT INTO "session_projects" VALUES('simulation','app',1,'MAINTENANCE','ACK_MAINTENANCE','["i-1", "i-2"]');
CREATE TABLE sessions (
	id VARCHAR(36) NOT NULL, 
	workflow VARCHAR(64) NOT NULL, 
	maintenance_at DATETIME NOT NULL, 
	metadata JSON NOT NULL, 
	hosts JSON NOT NULL, 
	actions JSON NOT NULL, 
	download JSON NOT NULL, 
	options JSON NOT NULL, 
	admin_project_id VARCHAR(64) NOT NULL, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	state VARCHAR(32) NOT NULL, 
	failed_state VARCHAR(32), 
	resume_state VARCHAR(32), 
	reason TEXT, 
	ending VARCHAR(16), 
	memory JSON NOT NULL, 
	percent_done INTEGER NOT NULL, 
	waiting_for JSON NOT NULL, 
	delete_requested BOOLEAN NOT NULL, 
	open BOOLEAN NOT NULL, 
	CONSTRAINT pk_sessions PRIMARY KEY (id)
);
INSERT INTO "sessions" VALUES('simulation','default','2030-01-01 00:00:05.000000','{}','[]','[{"plugin": "simulated", "type": "host", "metadata": {"seconds": 60.0}}]','[]','{"reply_timeout": 300.0, "scale_in_timeout": 900.0, "complete_timeout": 900.0, "move_timeout": 3600.0, "action_timeout": 7200.0, "settle_timeout": 120.0, "unmanaged_projects": "move", "silent_projects": "fail", "nack_retries": 0, "nack_pause": 30.0, "parallel_hosts": null, "parallel_migrations": null, "parallel_migrations_per_host": null, "lead_time": 120.0, "max_impacted_members": 1, "second_moves": 0.1, "scale_in_share": 0.03, "live_migration_downtime": 0.5}','admin','2030-01-01 00:00:00.000000','2030-01-01 00:00:10.000000',NULL,'START_MAINTENANCE',NULL,NULL,NULL,NULL,'{}',0,'[]',0,1);
CREATE TABLE subscriptions (
	id VARCHAR(36) NOT NULL, 
	project_id VARCHAR(64) NOT NULL, 
	url VARCHAR(2048) NOT NULL, 
	format VARCHAR(16) NOT NULL, 
	event_types JSON NOT NULL, 
	created_at DATETIME NOT NULL, secret VARCHAR(255), old_secret VARCHAR(255), old_secret_until DATETIME, failing_since DATETIME, retry_at DATETIME, last_error TEXT, last_error_at DATETIME, 
	CONSTRAINT pk_subscriptions PRIMARY KEY (id)
);
CREATE TABLE timeline (
	id INTEGER NOT NULL, 
	session_id VARCHAR(36) NOT NULL, 
	at DATETIME NOT NULL, 
	who VARCHAR(255) NOT NULL, 
	what VARCHAR(64) NOT NULL, 
	why TEXT NOT NULL, 
	host VARCHAR(255), 
	instance VARCHAR(64), 
	project VARCHAR(64), 
	CONSTRAINT pk_timeline PRIMARY KEY (id)
);
INSERT INTO "timeline" VALUES(1,'simulation','2030-01-01 00:00:00.000000','api','session.created','workflow default, 3 hosts, at 2030-01-01 00:00:05',NULL,NULL,NULL);
INSERT INTO "timeline" VALUES(2,'simulation','2030-01-01 00:00:00.000000','engine','session.state','MAINTENANCE',NULL,NULL,NULL);
INSERT INTO "timeline" VALUES(3,'simulation','2030-01-01 00:00:00.000000','engine','project.notified','MAINTENANCE',NULL,NULL,'app');
INSERT INTO "timeline" VALUES(4,'simulation','2030-01-01 00:00:10.000000','engine','project.replied','ACK_MAINTENANCE',NULL,NULL,'app');
INSERT INTO "timeline" VALUES(5,'simulation','2030-01-01 00:00:10.000000','engine','session.state','START_MAINTENANCE',NULL,NULL,NULL);
INSERT INTO "timeline" VALUES(6,'simulation','2030-01-01 00:00:10.000000','engine','host.disabled','nothing may be placed on it','compute-1',NULL,NULL);
INSERT INTO "timeline" VALUES(7,'simulation','2030-01-01 00:00:10.000000','engine','host.disabled','nothing may be placed on it','compute-2',NULL,NULL);
INSERT INTO "timeline" VALUES(8,'simulation','2030-01-01 00:00:10.000000','engine','host.disabled','nothing may be placed on it','compute-3',NULL,NULL);
INSERT INTO "timeline" VALUES(9,'simulation','2030-01-01 00:00:10.000000','engine','host.in_maintenance','it is empty and disabled','compute-3',NULL,NULL);
INSERT INTO "timeline" VALUES(10,'simulation','2030-01-01 00:00:10.000000','engine','action.started','host action simulated','compute-3',NULL,NULL);
INSERT INTO "timeline" VALUES(11,'simulation','2030-01-01 00:01:10.000000','engine','action.finished','host action simulated: done','compute-3',NULL,NULL);
INSERT INTO "timeline" VALUES(12,'simulation','2030-01-01 00:01:10.000000','engine','host.maintained','all its actions are done','compute-3',NULL,NULL);
CREATE INDEX ix_sessions_open ON sessions (open);
CREATE INDEX ix_leases_owner ON leases (owner);
CREATE INDEX ix_deliveries_message_id ON deliveries (message_id);
CREATE INDEX ix_deliveries_session_id_state ON deliveries (session_id, state);
CREATE INDEX ix_replies_session_id_outcome ON replies (session_id, outcome);
CREATE INDEX ix_timeline_session_id ON timeline (session_id);
CREATE INDEX ix_subscriptions_project_id ON subscriptions (project_id);
COMMIT;
