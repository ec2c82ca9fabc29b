#!/bin/sh -e
# Registers constraints of one group and one instance. Usage: register_constraints.sh FENIX_URL TOKEN
put() {
    curl --fail --silent --show-error --request PUT --header "X-Auth-Token: $TOKEN" \
        --header "Content-Type: application/json" --data "$2" "$FENIX/$1"
    echo
}
FENIX=$1 TOKEN=$2
put instance_group/db '{"project_id": "shop", "group_name": "db", "anti_affinity_group": true,
    "max_instances_per_host": 1, "max_impacted_members": 1, "recovery_time": 60}'
put instance/db-1 '{"project_id": "shop", "group_id": "db", "instance_name": "db-1",
    "migration_type": "LIVE_MIGRATE", "lead_time": 300}'
