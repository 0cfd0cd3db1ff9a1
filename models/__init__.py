"""The networks, with torch and safetensors only. Importing this package loads neither."""
