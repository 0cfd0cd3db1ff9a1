"""The page: Streamlit around ES modules that speak with the server themselves."""
