import { describe, expect, test } from 'vitest';
import { commands, load, problems } from './fixture.ts';

const END = 'on: { pass: done, fail: failed }';

describe('names', () => {
  test.each(['park', 'done', 'failed', 'abandoned', 'inputs', 'Upper', '1st', 'with space', '-x'])(
    'a node cannot be named %s',
    (name) => {
      const text = JSON.stringify({
        start: name,
        nodes: { [name]: { command: 'x', on: { pass: 'done', fail: 'failed' } } },
      });
      expect(problems(text)).toContain(`1: "${name}" cannot be a node's name`);
    },
  );

  test('an end cannot have the name of a universal outcome', () => {
    const text = 'start: a\nnodes:\n  a: { command: x, on: { pass: error, fail: done } }\n  error: { end: failed }';
    expect(problems(text)).toEqual(['4: an end cannot be named "error"']);
  });

  test('names that objects of the language know are names like others', () => {
    const text = commands({ constructor: 'next: valueof, on: { fail: failed }', valueof: END });
    expect(problems(text)).toEqual([]);
    expect(problems(commands({ 'has-own': `next: constructor, on: { fail: failed }` }))).toEqual([
      '3: there is no node "constructor"',
    ]);
  });

  test('a name that would reach behind the data is refused wherever it stands', () => {
    const text = `start: a
on: { __proto__: a }
nodes:
  __proto__: { command: x }
  a: { command: x, on: { pass: done, fail: failed, __proto__: a }, with: { __proto__: 1 } }`;
    const refused = problems(text).filter((problem) => problem.endsWith('a key cannot be named "__proto__"'));
    expect(refused).toHaveLength(4);
  });

  test('choices of an approval are names, once each, and not universal', () => {
    const ask = (choices: string) =>
      problems(`start: a\non: { retry: done }\nnodes: { a: { approval: reviewer, choices: ${choices} } }`);
    expect(ask('[retry]')).toEqual([]);
    expect(ask('[retry, "No!"]')).toContain('3: "No!" cannot be an outcome');
    expect(ask('[retry, __proto__]')).toContain('3: "__proto__" cannot be an outcome');
    expect(ask('[retry, retry]')).toEqual(['3: the outcome "retry" stands twice']);
    expect(ask('[retry, error]')).toEqual(['3: "error" is already an outcome of this node']);
    expect(ask('[]')).toContain('3: node "a" has no outcome at all');
  });

  test('more nodes than a person can follow are refused', () => {
    const names = Array.from({ length: 201 }, (_, index) => `n${index}`);
    const nodes = Object.fromEntries(
      names.map((name, index) => [name, `next: ${names[index + 1] ?? 'done'}, on: { fail: park }`]),
    );
    expect(problems(commands(nodes))).toEqual(['2: more than 200 nodes']);
  });
});

describe('kinds', () => {
  test('a node has one kind', () => {
    const text = 'start: a\nnodes:\n  a: { command: x, check: all, on: { pass: done, fail: done } }';
    expect(problems(text)).toEqual(['3: node "a" has more than one kind: "command" and "check"']);
  });

  test('a kind that is not known is told with the nearest that is', () => {
    const result = load('start: a\nnodes:\n  a: { comand: x, next: done }');
    expect(result).toMatchObject({
      problems: [
        { line: 3, message: 'node "a" has no known kind', hint: expect.stringContaining('did you mean "command"?') },
      ],
    });
  });

  test('a field that the kind does not have is told with those that it has', () => {
    const result = load('start: a\nnodes:\n  a: { command: x, bugdet: 5s, on: { pass: done, fail: done } }');
    expect(result).toMatchObject({ problems: [{ line: 3, hint: expect.stringContaining('did you mean "budget"?') }] });
  });
});

describe('edges', () => {
  test('an edge leads to a node, an end or park', () => {
    expect(problems(commands({ a: 'on: { pass: done, fail: fixx }' }))).toEqual(['3: there is no node "fixx"']);
    expect(problems(commands({ a: 'on: { pass: done, fail: park }' }))).toEqual([]);
  });

  test('an edge that is a default of the blueprint is checked once', () => {
    const text = `on: { error: nowhere }\n${commands({ a: 'next: b, on: { fail: b }', b: END })}`;
    expect(problems(text)).toEqual(['1: there is no node "nowhere"']);
  });

  test('an own outcome needs an edge', () => {
    expect(problems(commands({ a: 'next: done' }))).toEqual(['3: the outcome "fail" of node "a" leads nowhere']);
  });

  test('an edge needs an outcome that the node has', () => {
    expect(problems(commands({ a: `${END.slice(0, -1)}, merged: done }` }))).toEqual([
      '3: node "a" has no outcome "merged"',
    ]);
    expect(problems(commands({ a: `${END.slice(0, -1)}, conflict: done }` }))).toEqual([
      '3: node "a" has no outcome "conflict"',
    ]);
    expect(problems(commands({ a: `${END.slice(0, -1)}, stalled: done }` }))).toEqual([]);
  });

  test('a default of the blueprint needs a node that can have the outcome', () => {
    expect(problems(`on: { findings: park }\n${commands({ a: END })}`)).toEqual([
      '1: no node has an outcome "findings"',
    ]);
  });

  test('the main outcome is spoken of once', () => {
    expect(problems(commands({ a: 'next: done, on: { pass: done, fail: failed }' }))).toEqual([
      '3: "next" and "on" of node "a" both say where "pass" leads',
    ]);
  });
});

describe('per', () => {
  const text = (rest: string) => commands({ a: 'next: b, on: { fail: failed }', b: `${END}, ${rest}` });

  test.each([
    ['max: 2, per: c', '4: there is no node "c"'],
    ['max: 2, per: b', '4: node "b" restarts its own count'],
    ['per: a', '4: "per" without "max" bounds nothing'],
  ])('%s is refused', (rest, problem) => {
    expect(problems(text(rest))).toEqual([problem]);
  });

  test('another node restarts the count of max', () => {
    expect(problems(text('max: 2, per: a'))).toEqual([]);
  });
});

describe('references', () => {
  const agentNode = (rest: string) => `start: a\nnodes: { a: { ${rest}, next: done, on: { unchanged: park } } }`;

  test('an agent is configured, or default, or same', () => {
    for (const name of ['codex', 'default', 'same']) {
      expect(problems(agentNode(`agent: ${name}`), { agents: ['codex'] })).toEqual([]);
    }
    expect(problems(agentNode('agent: claude'), { agents: ['codex'] })).toEqual(['2: there is no agent "claude"']);
    expect(problems(agentNode('agent: claude'))).toEqual([]);
  });

  test('a check is declared, a kind, or all', () => {
    const text = (name: string) =>
      `start: a\nnodes: { a: { check: ${name}, on: { pass: done, fixed: done, fail: failed, missing: done } } }`;
    const checks = [{ name: 'unit', kind: 'test' }, { name: 'spell', kind: 'prose' }, { name: 'plain' }];
    for (const name of ['unit', 'plain', 'prose', 'all', 'format', 'lint', 'typecheck', 'test', 'build']) {
      expect(problems(text(name), { checks })).toEqual([]);
    }
    expect(problems(text('[unit,\n  unti]'), { checks })).toEqual(['3: there is no check "unti"']);
    expect(problems(text('unti'))).toEqual([]);
  });

  test('what is required is known', () => {
    const text = `requires: [check, test, unit, forge]\n${commands({ a: END })}`;
    expect(problems(text, { checks: [{ name: 'unit' }] })).toEqual(['1: nothing is known as "forge"']);
  });

  test('a session is resumed from a node of the same kind', () => {
    const text = (session: string) => `
start: a
nodes:
  a: { agent: default, session: ${session}, next: b, on: { unchanged: b } }
  b: { command: x, on: { pass: done, fail: failed } }`;
    expect(problems(text('new'))).toEqual([]);
    expect(problems(text('resume a'))).toEqual([]);
    expect(problems(text('fork c'))).toEqual(['4: there is no node "c"']);
    expect(problems(text('resume b'))).toEqual(['4: there is no node "b" of kind agent']);
  });

  test('a node that another node names is there', () => {
    const text = (name: string) => `start: a\nnodes: { a: { reset: ${name}, next: done, on: { unchanged: done } } }`;
    expect(problems(text('a'))).toEqual([]);
    expect(problems(text('b'))).toEqual(['2: there is no node "b"']);
  });

  test('a prompt file can be read and lies where prompts lie', () => {
    expect(problems(agentNode('agent: same, prompt: a.md'), { prompts: { 'a.md': '' } })).toEqual([]);
    expect(problems(agentNode('agent: same, prompt: b.md'))).toEqual(['2: there is no prompt file "b.md"']);
    for (const name of ['../a.md', '/etc/passwd', 'a/../../b.md', '.hidden']) {
      expect(problems(agentNode(`agent: same, prompt: ${name}`), { prompts: { [name]: 'x' } })).toEqual([
        `2: ${JSON.stringify(name)} cannot be a prompt file`,
      ]);
    }
  });

  test('a value that is handed on exists', () => {
    const text = (value: string) => `inputs: { plan: }\n${commands({ a: `${END}, with: { v: ${value} }` })}`;
    for (const value of ['$a.report', '$inputs.plan', '"$$a.b"', 'price $5', '[1, { a: b }]']) {
      expect(problems(text(value))).toEqual([]);
    }
    expect(problems(text('$a.summary'))).toEqual(['4: node "a" has no output "summary"']);
    expect(problems(text('$b.report'))).toEqual(['4: there is no node "b"']);
    expect(problems(text('$inputs.size'))).toEqual(['4: the blueprint has no input "size"']);
    expect(problems(text('$a'))).toEqual(['4: "$a" is no reference']);
    expect(problems(text('[$a.report]'))).toEqual(['4: the reference $a.report stands inside a list or a mapping']);
  });

  test('an output of an end exists', () => {
    const text = (value: string) => `
start: a
nodes:
  a: { command: x, on: { pass: out, fail: failed } }
  out: { end: succeeded, outputs: { v: ${value} } }`;
    expect(problems(text('$a.report'))).toEqual([]);
    expect(problems(text('$a.nothing'))).toEqual(['5: node "a" has no output "nothing"']);
    expect(problems(text('1, extra: 2'))).toEqual([]);
    expect(problems(text('1 }, max: 2, x: { y: z'))).toEqual(['5: unknown field "max"', '5: unknown field "x"']);
  });
});

describe('ways', () => {
  test('the start is a node', () => {
    expect(problems(commands({ a: END }).replace('start: a', 'start: b'))).toEqual([
      '1: there is no node "b" to start with',
    ]);
    expect(problems(commands({ a: END }).replace('start: a', 'start: done'))).toEqual([
      '1: there is no node "done" to start with',
    ]);
  });

  test('every node and every end is reached', () => {
    const text = `${commands({ a: END, b: END })}\n  other: { end: failed }`;
    expect(problems(text)).toEqual(['4: no way leads from "a" to "b"', '5: no way leads from "a" to "other"']);
  });

  test('a node behind an exhausted edge or a default of the blueprint is reached', () => {
    expect(problems(commands({ a: 'max: 1, on: { pass: done, fail: a, exhausted: b }', b: END }))).toEqual([]);
    expect(problems(`on: { timeout: b }\n${commands({ a: END, b: `max: 1, ${END}` })}`)).toEqual([]);
  });

  test('a node behind one that cannot be read is not called unreachable', () => {
    const text = `on: { done: c }\n${commands({ a: 'bad: 1, next: b, on: { fail: b }', b: END, c: END })}`;
    expect(problems(text.replace('command: "true", bad: 1', 'agnet: x'))).toEqual(['4: node "a" has no known kind']);
  });

  test('some way leads from the start to an end', () => {
    expect(problems(commands({ a: 'on: { pass: park, fail: park }' }))).toEqual(['1: no way leads from "a" to an end']);
  });

  test('from every node a way leads to an end or to a person', () => {
    const all = ['pass', 'fail', 'error', 'timeout', 'stalled', 'exhausted']
      .map((outcome) => `${outcome}: b`)
      .join(', ');
    const text = commands({ a: 'on: { pass: done, fail: b }', b: `max: 1, on: { ${all} }` });
    expect(problems(text)).toEqual(['4: from node "b" no way leads to an end or to a person']);
  });
});

describe('blueprints inside blueprints', () => {
  const outer = 'start: a\nnodes:\n  a: { blueprint: inner, next: done, on: { failed: failed } }';

  test('a blueprint that a node enters has to be there', () => {
    expect(problems(outer)).toEqual(['3: there is no blueprint "inner"']);
    expect(problems(outer.replace('inner', '../inner'))).toEqual(['3: there is no blueprint "../inner"']);
  });

  test('problems of a blueprint inside are told with its own file', () => {
    const result = load(outer, { blueprints: { inner: commands({ x: 'next: done' }) } });
    expect(result).toMatchObject({ ok: false, problems: [{ file: 'inner.yaml', line: 3 }] });
  });

  test('a blueprint cannot enter itself, directly or through others', () => {
    const again = (name: string) => `start: b\nnodes:\n  b: { blueprint: ${name}, next: done, on: { failed: failed } }`;
    expect(problems(again('test'))).toEqual(['3: blueprint "test" enters itself: test → test']);
    expect(problems(outer, { blueprints: { inner: again('other'), other: again('inner') } })).toEqual([
      '3: blueprint "inner" enters itself: inner → other → inner',
    ]);
  });

  test('blueprints that multiply each other are cut off', () => {
    const both = (name: string) => `start: a
nodes:
  a: { blueprint: ${name}x, next: b, on: { failed: failed } }
  b: { blueprint: ${name}y, next: done, on: { failed: failed } }`;
    const leaf = commands({ a: END });
    const blueprints: Record<string, string> = {};
    for (let level = 0; level < 6; level += 1) {
      for (const side of ['x', 'y']) blueprints[`l${level}${side}`] = level === 5 ? leaf : both(`l${level + 1}`);
    }
    expect(problems(both('l3'), { blueprints })).toEqual([]);
    expect(problems(both('l0'), { blueprints }).join()).toContain('more than 100 blueprints inside each other');
  });

  test('its inputs fit', () => {
    const inner = `inputs: { plan: { required: true }, size: }\n${commands({ x: END })}`;
    const text = (values: string) => outer.replace('next:', `with: ${values}, next:`);
    expect(problems(text('{ plan: p }'), { blueprints: { inner } })).toEqual([]);
    expect(problems(text('{ plan: p, sizes: 3 }'), { blueprints: { inner } })).toEqual([
      '3: the blueprint that node "a" enters has no input "sizes"',
    ]);
    expect(problems(text('{ size: 3 }'), { blueprints: { inner } })).toEqual([
      '3: the blueprint that node "a" enters requires the input "plan"',
    ]);
  });
});
