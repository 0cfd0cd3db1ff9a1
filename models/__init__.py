"""The networks: torch and safetensors only. Importing this package alone loads neither."""
