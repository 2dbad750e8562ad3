import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModelApi } from '../../domain/model-call.ts';
import { upstreamFailure } from './upstream-failure.ts';

const NOW = Date.UTC(2026, 8, 15, 12);
const MINUTE = 60_000;

interface Answered {
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly now?: number;
}

function of(api: ModelApi, status: number, { headers = {}, body = {}, now = NOW }: Answered = {}) {
  return upstreamFailure(api, { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body), now });
}

const anthropicError = (type: string, message: string, rest: object = {}) => ({
  type: 'error',
  error: { type, message, ...rest },
});
const openaiError = (code: string | null, type: string, rest: object = {}) => ({
  error: { message: 'No.', type, param: null, code, ...rest },
});
const googleError = (status: string, message: string, details: readonly object[] = []) => ({
  error: { code: 429, message, status, details },
});
const detail = (type: string, rest: object) => ({ '@type': `type.googleapis.com/google.rpc.${type}`, ...rest });

test.each(ModelApi.options)('%s: what is no failure is none', (api) => {
  expect(of(api, 200)).toBeUndefined();
  expect(of(api, 304)).toBeUndefined();
});

test.each(ModelApi.options)('%s: a status alone says what it says', (api) => {
  const failures = [400, 401, 402, 403, 404, 413, 429, 500, 503, 529].map(
    (status) => of(api, status, { body: '<html>' })?.kind,
  );
  expect(failures).toEqual([
    'other',
    'auth',
    'quota',
    'other',
    'other',
    'other',
    'rate-limit',
    'other',
    'overloaded',
    'overloaded',
  ]);
});

test.each(ModelApi.options)('%s: the wait that is asked for is told, whichever way it is written', (api) => {
  const wait = (headers: Record<string, string>) => of(api, 429, { headers });
  expect(wait({})).toEqual({ kind: 'rate-limit', retryAfterMs: undefined });
  expect(wait({ 'retry-after': '20' })).toEqual({ kind: 'rate-limit', retryAfterMs: 20_000 });
  expect(wait({ 'retry-after': '20', 'retry-after-ms': '1500' })).toEqual({ kind: 'rate-limit', retryAfterMs: 1500 });
  expect(wait({ 'retry-after': 'Tue, 15 Sep 2026 12:01:00 GMT' })).toEqual({
    kind: 'rate-limit',
    retryAfterMs: MINUTE,
  });
  expect(wait({ 'retry-after': 'Tue, 15 Sep 2026 11:00:00 GMT' })).toEqual({ kind: 'rate-limit', retryAfterMs: 0 });
  expect(wait({ 'retry-after': 'later' })).toEqual({ kind: 'rate-limit', retryAfterMs: undefined });
  expect(of(api, 529, { headers: { 'retry-after': '7' } })).toEqual({ kind: 'overloaded', retryAfterMs: 7000 });
});

test.each(ModelApi.options)(
  '%s: a wait of more than five minutes is a quota that is used up, one of five is none',
  (api) => {
    expect(of(api, 429, { headers: { 'retry-after': '301' } })).toEqual({ kind: 'quota', resetAt: NOW + 301_000 });
    expect(of(api, 429, { headers: { 'retry-after': '300' } })).toEqual({
      kind: 'rate-limit',
      retryAfterMs: 5 * MINUTE,
    });
    expect(of(api, 503, { headers: { 'retry-after': '301' } })).toMatchObject({ kind: 'overloaded' });
  },
);

test('anthropic: a window of a subscription that is used up is a quota until its reset, however soon that is', () => {
  const rejected = (seconds: number) => ({
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': String(NOW / 1000 + seconds),
    'retry-after': '5',
  });
  const body = anthropicError('rate_limit_error', 'This request would exceed your account’s rate limit.');
  expect(of('anthropic', 429, { headers: rejected(20), body })).toEqual({ kind: 'quota', resetAt: NOW + 20_000 });
  expect(of('anthropic', 429, { headers: rejected(7200), body })).toEqual({
    kind: 'quota',
    resetAt: NOW + 120 * MINUTE,
  });
  const allowed = { ...rejected(20), 'anthropic-ratelimit-unified-status': 'allowed_warning' };
  expect(of('anthropic', 429, { headers: allowed, body })).toEqual({ kind: 'rate-limit', retryAfterMs: 5000 });
});

test('anthropic: without `retry-after`, the last of the limits counts of which nothing is left', () => {
  const headers = {
    'anthropic-ratelimit-requests-remaining': '10',
    'anthropic-ratelimit-requests-reset': '2026-09-15T12:04:00Z',
    'anthropic-ratelimit-input-tokens-remaining': '0',
    'anthropic-ratelimit-input-tokens-reset': '2026-09-15T12:00:30Z',
    'anthropic-ratelimit-output-tokens-remaining': '0',
    'anthropic-ratelimit-output-tokens-reset': '2026-09-15T12:00:40Z',
  };
  const body = anthropicError('rate_limit_error', 'Too many.');
  expect(of('anthropic', 429, { headers, body })).toEqual({ kind: 'rate-limit', retryAfterMs: 40_000 });
});

test('anthropic: spending that is stopped is a quota, until the day that its message names', () => {
  const until = 'You will regain access on 2026-10-01 at 00:00 UTC.';
  const october = Date.UTC(2026, 9, 1);
  const tier = anthropicError('rate_limit_error', `You have reached your API usage limits: … ${until}`, {
    details: { error_code: 'enforced_spend_limit_reached' },
  });
  expect(of('anthropic', 429, { body: tier })).toEqual({ kind: 'quota', resetAt: october });
  const own = anthropicError(
    'invalid_request_error',
    `You have reached your specified workspace API usage limits. ${until}`,
  );
  expect(of('anthropic', 400, { body: own })).toEqual({ kind: 'quota', resetAt: october });
  const credit = anthropicError('invalid_request_error', 'Your credit balance is too low to access the Anthropic API.');
  expect(of('anthropic', 400, { body: credit })).toEqual({ kind: 'quota', resetAt: undefined });
  const request = anthropicError('invalid_request_error', 'messages: at least one message is required');
  expect(of('anthropic', 400, { body: request })).toEqual({ kind: 'other' });
});

test('anthropic: what is overloaded and who is not known is told by its type, too', () => {
  expect(of('anthropic', 500, { body: anthropicError('overloaded_error', 'Overloaded') })).toMatchObject({
    kind: 'overloaded',
  });
  const oauth = anthropicError(
    'permission_error',
    'OAuth authentication is currently not allowed for this organization.',
  );
  expect(of('anthropic', 403, { body: oauth })).toEqual({ kind: 'auth' });
  const model = anthropicError(
    'permission_error',
    'Your API key does not have permission to use the specified resource.',
  );
  expect(of('anthropic', 403, { body: model })).toEqual({ kind: 'other' });
});

test.each(['responses', 'chat'] as const)('%s: everything about money is a quota', (api) => {
  const codes = [
    'credit_balance_exhausted',
    'organization_spend_limit_exceeded',
    'project_spend_limit_exceeded',
    'billing_hard_limit_reached',
  ];
  for (const code of codes) {
    expect(of(api, 429, { body: openaiError(code, 'insufficient_quota') }), code).toEqual({
      kind: 'quota',
      resetAt: undefined,
    });
    expect(of(api, 429, { body: openaiError(code, 'other_type') }), code).toEqual({
      kind: 'quota',
      resetAt: undefined,
    });
  }
  expect(of(api, 429, { body: openaiError(null, 'insufficient_quota') })).toEqual({
    kind: 'quota',
    resetAt: undefined,
  });
  expect(of(api, 403, { body: openaiError('insufficient_quota', 'insufficient_quota') })).toMatchObject({
    kind: 'quota',
  });
  expect(of(api, 429, { body: openaiError('rate_limit_exceeded', 'tokens') })).toMatchObject({ kind: 'rate-limit' });
});

test.each(['responses', 'chat'] as const)('%s: a login whose usage is used up says when there is more', (api) => {
  const reached = (rest: object) => openaiError(null, 'usage_limit_reached', { plan_type: 'pro', ...rest });
  const later = NOW + 90 * MINUTE;
  expect(of(api, 429, { body: reached({ resets_at: later / 1000, resets_in_seconds: 7 }) })).toEqual({
    kind: 'quota',
    resetAt: later,
  });
  expect(of(api, 429, { body: reached({ resets_in_seconds: 20 }) })).toEqual({ kind: 'quota', resetAt: NOW + 20_000 });
  const headers = {
    'x-codex-primary-used-percent': '40',
    'x-codex-primary-reset-at': String(later / 1000 + 7),
    'x-codex-secondary-used-percent': '100',
    'x-codex-secondary-reset-at': String(later / 1000),
  };
  expect(of(api, 429, { headers, body: reached({}) })).toEqual({ kind: 'quota', resetAt: later });
  expect(of(api, 429, { body: reached({}) })).toEqual({ kind: 'quota', resetAt: undefined });
});

test.each(['responses', 'chat'] as const)(
  '%s: a rate limit says how long it lasts in its message, or its headers',
  (api) => {
    const wait = (message: string, headers: Record<string, string> = {}) =>
      of(api, 429, { headers, body: openaiError('rate_limit_exceeded', 'tokens', { message }) });
    expect(wait('Limit 10000. Please try again in 1.242s. Visit …')).toEqual({
      kind: 'rate-limit',
      retryAfterMs: 1242,
    });
    expect(wait('Please try again in 350ms.')).toEqual({ kind: 'rate-limit', retryAfterMs: 350 });
    expect(wait('Please retry after 26 seconds.')).toEqual({ kind: 'rate-limit', retryAfterMs: 26_000 });
    expect(wait('Limit 200 a day. Please try again in 7m12s.')).toEqual({ kind: 'quota', resetAt: NOW + 432_000 });
    const headers = {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '1m3s',
      'x-ratelimit-remaining-tokens': '100',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(wait('Too many.', headers)).toEqual({ kind: 'rate-limit', retryAfterMs: 63_000 });
    expect(wait('Too many.', { ...headers, 'x-ratelimit-remaining-requests': '1' })).toEqual({
      kind: 'rate-limit',
      retryAfterMs: undefined,
    });
  },
);

test.each(['responses', 'chat'] as const)(
  '%s: who is not known, and what is overloaded, is told by its code, too',
  (api) => {
    expect(of(api, 403, { body: openaiError('account_deactivated', 'invalid_request_error') })).toEqual({
      kind: 'auth',
    });
    expect(of(api, 403, { body: openaiError('unsupported_country_region_territory', 'request_forbidden') })).toEqual({
      kind: 'other',
    });
    expect(of(api, 429, { body: openaiError('slow_down', 'rate_limit_error') })).toMatchObject({ kind: 'overloaded' });
  },
);

test('gemini: a minute’s quota is a rate limit, with the delay that it names', () => {
  const violations = [{ quotaId: 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier' }];
  const details = [detail('QuotaFailure', { violations }), detail('RetryInfo', { retryDelay: '34.074824224s' })];
  const body = googleError('RESOURCE_EXHAUSTED', 'You exceeded your current quota.', details);
  expect(of('gemini', 429, { body })).toEqual({ kind: 'rate-limit', retryAfterMs: 34_075, isOfModel: true });
  const inText = googleError('RESOURCE_EXHAUSTED', 'You exceeded your current quota. Please retry in 20.5s.');
  expect(of('gemini', 429, { body: inText })).toEqual({ kind: 'rate-limit', retryAfterMs: 20_500 });
  expect(of('gemini', 429, { body: [inText] })).toEqual({ kind: 'rate-limit', retryAfterMs: 20_500 });
});

test.each([
  ['2026-09-15T12:00:00.250Z', '2026-09-16T07:00:00Z'],
  ['2026-09-16T06:59:59Z', '2026-09-16T07:00:00Z'],
  ['2026-01-15T12:00:00Z', '2026-01-16T08:00:00Z'],
  ['2026-03-08T09:00:00Z', '2026-03-09T07:00:00Z'],
  ['2026-11-01T07:30:00Z', '2026-11-02T08:00:00Z'],
])('gemini: a day’s quota that is used up at %s is there again at midnight in California, %s', (now, reset) => {
  const violations = [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }];
  const details = [detail('RetryInfo', { retryDelay: '34s' }), detail('QuotaFailure', { violations })];
  const body = googleError('RESOURCE_EXHAUSTED', 'You exceeded your current quota.', details);
  expect(of('gemini', 429, { body, now: Date.parse(now) })).toEqual({
    kind: 'quota',
    resetAt: Date.parse(reset),
    isOfModel: true,
  });
});

test('gemini: where a quota of the whole project is used up, too, it is not the model’s alone', () => {
  const quotaOf = (...ids: readonly string[]) => {
    const violations = ids.map((quotaId) => ({ quotaId }));
    return of('gemini', 429, {
      body: googleError('RESOURCE_EXHAUSTED', 'No.', [detail('QuotaFailure', { violations })]),
    });
  };
  const perModel = 'GenerateRequestsPerDayPerProjectPerModel';
  expect(quotaOf(perModel)).toMatchObject({ kind: 'quota', isOfModel: true });
  expect(quotaOf(perModel, 'GenerateRequestsPerDayPerProject')).not.toHaveProperty('isOfModel');
  expect(quotaOf('GenerateRequestsPerDayPerProject')).not.toHaveProperty('isOfModel');
  expect(quotaOf('GenerateRequestsPerMinutePerProject')).not.toHaveProperty('isOfModel');
  // What of it lasts until midnight is the model's.
  expect(quotaOf(perModel, 'GenerateRequestsPerMinutePerProject')).toMatchObject({ kind: 'quota', isOfModel: true });
});

test('responses: a rate limit is a model’s where its message names one, else everybody’s', () => {
  const reached = (what: string) => {
    const message = `Rate limit reached for ${what} on tokens per min (TPM): Limit 250000. Please try again in 3s.`;
    return of('responses', 429, { body: openaiError('rate_limit_exceeded', 'tokens', { message }) });
  };
  expect(reached('gpt-5.5 in organization org-1')).toEqual({ kind: 'rate-limit', retryAfterMs: 3000, isOfModel: true });
  expect(reached('organization org-1')).toEqual({ kind: 'rate-limit', retryAfterMs: 3000 });
});

test('anthropic: a window that is one model’s is told as such', () => {
  const rejected = (claim: string) => ({
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-reset': String(NOW / 1000 + 20),
    'anthropic-ratelimit-unified-representative-claim': claim,
  });
  const quota = { kind: 'quota', resetAt: NOW + 20_000 };
  expect(of('anthropic', 429, { headers: rejected('seven_day_opus') })).toEqual({ ...quota, isOfModel: true });
  expect(of('anthropic', 429, { headers: rejected('seven_day') })).toEqual(quota);
  expect(of('anthropic', 429, { headers: rejected('five_hour') })).toEqual(quota);
});

test('gemini: a day’s quota is also told by its code alone', () => {
  const body = { error: { code: 'quota_exceeded', message: 'You have exceeded your daily quota.' } };
  expect(of('gemini', 429, { body })).toEqual({ kind: 'quota', resetAt: Date.UTC(2026, 8, 16, 7) });
});

test('gemini: credits that are used up are a quota', () => {
  const reason = (rest: object) => detail('ErrorInfo', { reason: 'QUOTA_EXHAUSTED', ...rest });
  const delayed = googleError('RESOURCE_EXHAUSTED', 'No.', [reason({}), detail('RetryInfo', { retryDelay: '60s' })]);
  expect(of('gemini', 429, { body: delayed })).toEqual({ kind: 'quota', resetAt: NOW + MINUTE });
  const named = googleError('RESOURCE_EXHAUSTED', 'No.', [
    reason({ metadata: { quotaResetTimeStamp: '2026-09-15T20:00:00Z' } }),
  ]);
  expect(of('gemini', 429, { body: named })).toEqual({ kind: 'quota', resetAt: Date.UTC(2026, 8, 15, 20) });
  const prepaid = googleError('RESOURCE_EXHAUSTED', 'Your prepayment credits are depleted.');
  expect(of('gemini', 429, { body: prepaid })).toEqual({ kind: 'quota', resetAt: undefined });
});

test('gemini: a key that is not taken is told with a status of another kind', () => {
  const invalid = googleError('INVALID_ARGUMENT', 'No.', [detail('ErrorInfo', { reason: 'API_KEY_INVALID' })]);
  expect(of('gemini', 400, { body: invalid })).toEqual({ kind: 'auth' });
  expect(
    of('gemini', 400, { body: googleError('INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.') }),
  ).toEqual({ kind: 'auth' });
  expect(of('gemini', 403, { body: googleError('PERMISSION_DENIED', 'Your API key was reported as leaked.') })).toEqual(
    { kind: 'auth' },
  );
  expect(of('gemini', 400, { body: googleError('INVALID_ARGUMENT', 'Invalid JSON payload received.') })).toEqual({
    kind: 'other',
  });
  expect(of('gemini', 500, { body: googleError('UNAVAILABLE', 'No.') })).toMatchObject({ kind: 'overloaded' });
});

test('no answer has it throw, wait for less than nothing, or lead to a day that is none', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.constantFrom('0', '-5', '1e400', '99999999999999999999', 'rejected', '100', '1m', '2026-13-45'),
  );
  const names = fc.constantFrom(
    'retry-after',
    'retry-after-ms',
    'anthropic-ratelimit-unified-status',
    'anthropic-ratelimit-unified-reset',
    'anthropic-ratelimit-tokens-remaining',
    'anthropic-ratelimit-tokens-reset',
    'x-ratelimit-remaining-tokens',
    'x-ratelimit-reset-tokens',
    'x-codex-primary-used-percent',
    'x-codex-primary-reset-at',
  );
  const codes = fc.constantFrom('usage_limit_reached', 'insufficient_quota', 'rate_limit_exceeded', 'billing_error');
  const numbers = fc.oneof(fc.double(), fc.integer(), texts);
  const error = fc.record({
    code: codes,
    type: codes,
    message: texts,
    resets_at: numbers,
    resets_in_seconds: numbers,
    details: fc.jsonValue(),
  });
  const body = fc.oneof(
    fc.string(),
    fc.json(),
    error.map((error) => JSON.stringify({ error })),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...ModelApi.options),
      fc.constantFrom(400, 401, 402, 403, 429, 500, 503, 529),
      fc.dictionary(names, texts),
      body,
      (api, status, headers, body) => {
        const failure = upstreamFailure(api, { status, headers, body, now: NOW });
        if (failure?.kind === 'quota' && failure.resetAt !== undefined) {
          expect(failure.resetAt).toBeGreaterThan(NOW);
          expect(new Date(failure.resetAt).toISOString()).toMatch(/^202[67]-/);
        }
        if (failure?.kind === 'rate-limit' || failure?.kind === 'overloaded')
          expect(failure.retryAfterMs ?? 0).toBeGreaterThanOrEqual(0);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a reset that is over is looked for a little later', () => {
  const body = openaiError(null, 'usage_limit_reached', { resets_at: NOW / 1000 - 5 });
  expect(of('responses', 429, { body })).toEqual({ kind: 'quota', resetAt: NOW + MINUTE });
});
