"""Our YAML documents: values that know the file and line they stand on."""
