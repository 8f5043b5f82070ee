"""Streamlit pages and components; no rules of their own."""
