"""The run of a contact: a LangGraph state machine and the rules it goes by."""
