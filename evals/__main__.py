"""`python -m evals` is `proofdesk eval`."""

from evals.cli import main

if __name__ == "__main__":
    main()
