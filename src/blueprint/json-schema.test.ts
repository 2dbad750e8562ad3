import { expect, test } from 'vitest';
import { KINDS } from './fixture.ts';
import { blueprintJsonSchema } from './json-schema.ts';

test('the schema says what a blueprint and its nodes hold, in the form that people write', () => {
  const schema = blueprintJsonSchema(KINDS);
  expect(schema).toMatchObject({
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    required: ['start', 'nodes'],
    additionalProperties: false,
    properties: { limits: { properties: { wall: { type: 'string' } } } },
  });
  const { nodes } = schema['properties'] as { nodes: { additionalProperties: { anyOf: { properties: object }[] } } };
  const choices = nodes.additionalProperties.anyOf.map((choice) => Object.keys(choice.properties));
  expect(choices).toHaveLength(KINDS.size + 1);
  expect(choices.find((fields) => fields[0] === 'check')).toEqual(
    expect.arrayContaining(['check', 'changed', 'fix', 'budget', 'max', 'per', 'next', 'on', 'with', 'limits']),
  );
  expect(choices.at(-1)).toEqual(['end', 'outputs']);
});

test('the schema is plain JSON', () => {
  const schema = blueprintJsonSchema(KINDS);
  expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
});
