"""The page: a Streamlit script, and ES modules that connect to the server themselves."""
