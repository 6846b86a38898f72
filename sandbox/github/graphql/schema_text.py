"""The schema from its text, without resolvers; what documents are validated against."""

from __future__ import annotations

from importlib.resources import files

from graphql import GraphQLSchema, build_schema

SCHEMA: GraphQLSchema = build_schema(files("sandbox.github.graphql").joinpath("schema.graphql").read_text())
