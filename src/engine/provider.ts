/** The agent whose places a step takes: the one that its node names, the run's own for `default` and `same`. */
export function providerOf(runAgent: string | null, fields: Readonly<Record<string, unknown>>): string | null {
  const named = fields['agent'];
  return typeof named === 'string' && named !== 'default' && named !== 'same' ? named : runAgent;
}
