"""The parts that pages are put together from. Each owns its widget keys and session state."""
