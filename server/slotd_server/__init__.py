"""slotd_server: the service behind `slotd serve`; everything that runs, stores and tells of jobs."""
