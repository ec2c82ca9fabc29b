"""`fenix bench --load`: what the service bears, measured on real processes over HTTP."""
