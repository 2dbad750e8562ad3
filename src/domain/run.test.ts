import { expect, test } from 'vitest';
import { stateVerb } from './run.ts';

test('what has become of a run is said as one says it', () => {
  expect(stateVerb('succeeded')).toBe('has succeeded');
  expect(stateVerb('failed', 'already')).toBe('has already failed');
  expect(stateVerb('cancelled', 'already')).toBe('was already cancelled');
  expect(stateVerb('discarded')).toBe('was discarded');
  expect(stateVerb('parked')).toBe('is parked');
});
