"""The post-incident review: drafted from the record, finished by people."""
