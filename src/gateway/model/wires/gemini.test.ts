import { expect, test } from 'vitest';
import { GEMINI, json, SEEN, seenIn, stream } from './fixture/answers.ts';

test('an answer that is no stream of events is a list of the same pieces, or one', () => {
  expect(seenIn('gemini', json(GEMINI))).toEqual(SEEN.gemini);
  const { usageMetadata } = GEMINI[2] as { readonly usageMetadata: object };
  expect(seenIn('gemini', json({ ...GEMINI[0], usageMetadata }))).toMatchObject({
    isWhole: true,
    tokens: { output: 50 },
  });
});

test('thoughts are a part of the output, and what tools put in one of the input', () => {
  const usageMetadata = {
    promptTokenCount: 10,
    toolUsePromptTokenCount: 5,
    candidatesTokenCount: 3,
    thoughtsTokenCount: 7,
  };
  expect(seenIn('gemini', stream({ usageMetadata })).tokens).toEqual({
    input: 15,
    cached: 0,
    cacheWrite: 0,
    output: 10,
    reasoning: 7,
  });
});

test('a piece that does not say again what was used takes nothing back', () => {
  const tokens = seenIn('gemini', stream(...GEMINI, { usageMetadata: { promptTokenCount: 4320 } }, {})).tokens;
  expect(tokens).toEqual(SEEN.gemini.tokens);
});

test('a stream is whole once a piece says why it ended, or that it will not begin', () => {
  expect(seenIn('gemini', stream(...GEMINI.slice(0, -1))).isWhole).toBe(false);
  expect(seenIn('gemini', stream(...GEMINI)).isWhole).toBe(true);
  expect(seenIn('gemini', stream({ promptFeedback: { blockReason: 'SAFETY' } })).isWhole).toBe(true);
  expect(seenIn('gemini', stream({ promptFeedback: {} })).isWhole).toBe(false);
});

test('code that the model has run is counted, what came of it is not', () => {
  const parts = [
    { executableCode: { language: 'PYTHON', code: 'a = 1' } },
    { codeExecutionResult: { output: 'long' } },
  ];
  expect(seenIn('gemini', stream({ candidates: [{ content: { parts } }] })).produced).toBe(5);
});

test('an error is told, in a stream and instead of one', () => {
  const error = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } };
  const told = { type: 'UNAVAILABLE', message: 'The model is overloaded.' };
  expect(seenIn('gemini', stream(GEMINI[0]!, error))).toMatchObject({ isWhole: false, error: told });
  expect(seenIn('gemini', json(error))).toMatchObject({ isWhole: true, error: told });
  expect(seenIn('gemini', json([error]))).toMatchObject({ isWhole: true, error: told });
});
