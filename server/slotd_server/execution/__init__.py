"""Running a job's function. A runner yields outcomes; somebody else records them."""
