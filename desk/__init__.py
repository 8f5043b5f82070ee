"""The people side: contacts, reviews, decisions, delivery, audit, jobs, command line."""
