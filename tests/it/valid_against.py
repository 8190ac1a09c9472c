"""Holds JSON files against a JSON schema. Usage: valid_against.py SCHEMA FILE...; the number of valid files on stdout."""

import json
import sys

import jsonschema

_, schema, *files = sys.argv
with open(schema) as text:
    checker = jsonschema.Draft202012Validator(json.load(text))
jsonschema.Draft202012Validator.check_schema(checker.schema)
valid = 0
for file in files:
    with open(file) as text:
        problems = list(checker.iter_errors(json.load(text)))
    for problem in problems:
        print(f"{file}: {problem.json_path}: {problem.message}", file=sys.stderr)
    valid += not problems
print(valid)
