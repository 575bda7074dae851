"""HTTP: the same servicers as over gRPC, for browsers and curl, beside the dashboard's page and what operators ask."""
