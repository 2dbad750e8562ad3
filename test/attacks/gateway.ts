import type { Attack } from './attack.ts';
import { asking, asks, BODY, IS_ANSWERED, type Request, request } from './gateway-asking.ts';
import { carelessPipe, gatewayOf, openWay, type Provider, provider } from './gateway-way.ts';
import { perl } from './outside.ts';

/** What an agent within the walls may say on the way to its model. */

const cameThrough = ({ to }: { to: Provider }): string | undefined =>
  to.arrived.length === 0 ? undefined : `${to.arrived.length} came through`;

const said = (...words: readonly string[]) => {
  return ({ to }: { to: Provider }): string | undefined => {
    const all = JSON.stringify(to.arrived);
    return words.find((word) => all.includes(word));
  };
};

const OWN = 'OWN-CREDENTIAL';
const OWN_LINES = [
  `Authorization: Bearer ${OWN}`,
  `aUTHORIZATION: Basic ${OWN}`,
  `X-API-Key: ${OWN}`,
  `x-goog-api-key: ${OWN}`,
  `Api-Key: ${OWN}`,
  `Proxy-Authorization: Basic ${OWN}`,
  `Cookie: session=${OWN}`,
  `OpenAI-Organization: ${OWN}`,
  `Connection: authorization, x-api-key`,
];
const OWN_PARAMETERS = ['key', 'KEY', 'api_key', 'access_token', 'oauth_token', '%6bey', '$key', '%24.key'];

const OTHER_MODELS = [
  '{"model":"other"}',
  '{"model":"known","model":"other"}',
  String.raw`{"model":"known","mod\u0065l":"other"}`,
  '{"model":["other"]}',
  '{"model":{"toString":"other"}}',
  '{"Model":"other"}',
  '{"model":"known","Model":"other"}',
  '{"model":"known\\u0000","x":"other"}',
  '[{"model":"other"}]',
  '\ufeff{"model":"other"}',
  'model=known&x={"model":"other"}',
  `{"model":"${'known'.repeat(100_000)}"}`,
];

/** In which a provider may find the other model, whichever of several names counts for it. */
const OTHER = /"model"\s*:\s*\W*"?other|"Model"\s*:\s*"other|oth?er"\s*\}/;

const BEYOND: readonly Request[] = [
  '/v1/files',
  '/v1/batches',
  '/v1/fine_tuning/jobs',
  '/v1/organization/admin_api_keys',
  '/v1/responses/resp_1',
  '/v1/responses/../files',
  '/v1/responses%2f..%2ffiles',
  '/v1/%66iles',
  '/v1//files',
  '//v1/files',
  '/v1/./files',
  '/v1/responses;/../files',
  '/v1\\files',
  '/v1/responses/%2e%2e/files',
  '/v1/vector_stores',
  '/v1/models/..%2ffiles',
].map((path) => ({ path }));

/** Twice the length, one of both kinds, and pieces that say more than they are: each hides a second request in the first. */
function smuggling(token: string, lines: readonly string[], body: (hidden: string) => string): string {
  const hidden = `POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
  const head = ['POST /v1/responses HTTP/1.1', 'Host: x', `Authorization: Bearer ${token}`, ...lines];
  return `${head.join('\r\n')}\r\n\r\n${body(hidden)}`;
}

/** Of answers of a provider. */
const HEADS: readonly string[] = [
  'Set-Cookie: session=OWN-COOKIE',
  'X-One: \u001b[2J',
  'X-One: 1\u0000\r\nX-Line: 2',
  Array.from({ length: 10_000 }, (_, n) => `X-Line-${n}: ${n}`).join('\r\n'),
];

const size = (text: string): string => text.length.toString(16);
const LENGTH = `Content-Length: ${BODY.length}`;

const LOOKS = `for my $e (glob "/proc/[0-9]*/environ") { open(my $in, "<", $e) or next; local $/; my $all = <$in> // ""; print "$1 $2\\n" if $all =~ /SIBLING=(\\d+):([\\w-]+)/ }`;

/** At level `none`, what a program of the same user has in its environment is everybody's. */
const siblingsToken: Attack = {
  name: 'takes the token of a run beside it out of its environment, and asks on its way',
  subject: 'gateway',
  async play(stage) {
    await stage.open({ run: 'run2' });
    await using to = await provider();
    using gateway = gatewayOf(stage);
    await using own = await openWay(stage, { gateway, to });
    await using other = await openWay(stage, { gateway, to });
    const sandbox = stage.sandboxOf({ run: 'run2', egress: other.egress });
    await using beside = await sandbox.spawn({
      argv: ['/bin/sh', '-c', 'echo here; exec sleep 60'],
      cwd: stage.workspaces.layoutOf('run2').tree,
      env: { ...stage.envIn(sandbox, { run: 'run2' }), SIBLING: `${other.port}:${other.token}` },
    });
    await new Promise((resolve) => beside.stdout.once('data', resolve));
    const { output } = await stage.agent(perl(LOOKS), { egress: own.egress });
    const [, port, token = ''] = /^(\d+) (switchyard-\S+)$/m.exec(output) ?? [];
    if (port !== undefined) await asks(stage, { ...own, port: Number(port), token }, [request({ token })]);
    return { before: 'refused', after: cameThrough({ to }) ?? 'refused' };
  },
  twin: IS_ANSWERED,
};

/** The old token where it was good, and where another attempt's is. */
const endedToken: Attack = {
  name: 'asks with the token of an attempt that has ended',
  subject: 'gateway',
  async play(stage) {
    await using to = await provider();
    using gateway = gatewayOf(stage);
    const ended = await openWay(stage, { gateway, to });
    await ended[Symbol.asyncDispose]();
    await using way = await openWay(stage, { gateway, to });
    await asks(stage, ended, [request(ended)]);
    await asks(stage, way, [request(ended)]);
    return { before: 'refused', after: cameThrough({ to }) ?? 'refused' };
  },
  async careless(stage) {
    await using to = await provider();
    await using way = await carelessPipe(stage, to);
    await asks(stage, way, [request(way)]);
    return { before: 'refused', after: cameThrough({ to }) ?? 'refused' };
  },
  twin: IS_ANSWERED,
};

export const gatewayAttacks: readonly Attack[] = [
  siblingsToken,
  endedToken,
  asking({
    name: 'asks its model with no token, a wrong one, or one in a place where no client has it',
    requests: ({ token }) => [
      request({ token }, { token: null }),
      request({ token }, { token: `${token}x` }),
      request({ token }, { token: token.slice(0, -1) }),
      request({ token }, { token: null, path: `/v1/responses?key=${token}`, lines: [`Cookie: token=${token}`] }),
      request({ token }, { token: null, lines: [`Authorization: Basic ${token}`, `X-Token: ${token}`] }),
      request(
        { token },
        { token: null, lines: ['Authorization: Bearer switchyard-', `Authorization: Bearer ${token}`] },
      ),
    ],
    won: cameThrough,
    careless: carelessPipe,
  }),
  asking({
    name: 'sends a credential of its own along with its request, in headers and parameters',
    requests: (way) => [
      ...OWN_LINES.map((line) => request(way, { lines: [line] })),
      ...OWN_PARAMETERS.map((name) => request(way, { path: `/v1/responses?${name}=${OWN}` })),
    ],
    won: said(OWN),
    careless: carelessPipe,
  }),
  asking({
    name: 'writes a further header into its request by line ends in the path, the query or another header',
    requests: (way) => [
      request(way, { path: '/v1/responses%0d%0aX-Injected:%20yes%0d%0aX:' }),
      request(way, { path: '/v1/responses?a=1%20HTTP/1.1%0d%0aX-Injected:%20yes%0d%0aX:%20' }),
      request(way, { lines: ['X-One: 1\nX-Injected: yes'] }),
      request(way, { lines: ['X-One: 1\r\n X-Injected: yes'] }),
      request(way, { lines: ['X-One: 1\rX-Injected: yes'] }),
      request(way, { lines: ['X-One: 1\0\r\nX-Injected : yes'] }),
      request(way, { lines: ['Content-Type: a\r\n\tX-Injected: yes'] }),
    ],
    won: ({ to }) => {
      const found = to.arrived.find(
        ({ headers }) => 'x-injected' in headers || /x-injected/i.test(JSON.stringify(headers)),
      );
      return found && 'injected';
    },
    careless: carelessPipe,
  }),
  asking({
    name: 'hides a second request, without a token, in its first one',
    requests: ({ token }) => [
      smuggling(token, ['Content-Length: 4', 'Transfer-Encoding: chunked'], (hidden) => `0\r\n\r\n${hidden}`),
      smuggling(token, [LENGTH, 'Content-Length: 0'], (hidden) => `${BODY}${hidden}`),
      smuggling(token, [`Content-Length: ${BODY.length}, 0`], (hidden) => `${BODY}${hidden}`),
      smuggling(token, ['Transfer-Encoding: xchunked', LENGTH], (hidden) => `${BODY}${hidden}`),
      smuggling(token, ['Transfer-Encoding: chunked, identity'], (hidden) => `0\r\n\r\n${hidden}`),
      smuggling(token, ['Transfer-Encoding: chunked'], (hidden) => `${size(BODY)};a=\n${BODY}\r\n0\r\n\r\n${hidden}`),
      smuggling(token, ['Transfer-Encoding: chunked'], (hidden) => `${size(BODY)}\r\n${BODY}\r\n0\r\n\r\n${hidden}`),
      smuggling(token, [LENGTH], (hidden) => `${BODY}${hidden}`),
    ],
    won: said('/v1/files'),
    careless: carelessPipe,
  }),
  asking({
    name: 'asks its model’s provider for what is beyond the protocol, in any spelling',
    requests: (way) => BEYOND.flatMap((one) => [request(way, one), request(way, { ...one, method: 'GET', body: '' })]),
    won: cameThrough,
    careless: carelessPipe,
  }),
  asking({
    name: 'asks for a model that it may not use, by a body that two readers read in two ways',
    endpoint: { models: ['known'] },
    requests: (way) => OTHER_MODELS.map((body) => request(way, { body })),
    won: ({ to }) => to.arrived.find(({ body }) => OTHER.test(body))?.body.slice(0, 60),
    careless: carelessPipe,
  }),
  asking({
    name: 'asks for a model that it may not use, by a path that two readers read in two ways',
    endpoint: { api: 'gemini', models: ['known'] },
    requests: (way) =>
      [
        'models/other',
        'models/known/../other',
        'models/known%2f..%2fother',
        'models/%6fther',
        'tunedModels/known',
        'models/other?a=models/known',
      ]
        .flatMap((path) => [`/v1beta/${path}`, `/v1/${path}`])
        .map((path) => request(way, { path: path.replace(/$|(?=\?)/, ':generateContent') })),
    won: cameThrough,
    careless: carelessPipe,
  }),
  asking({
    name: 'asks for an answer that goes on when nobody listens, or that says nothing of what it used',
    requests: (way) => [
      request(way, { body: '{"model":"known","background":true}' }),
      request(way, { path: '/v1/responses?fields=output', body: BODY }),
      request(way, { path: '/v1/responses?alt=proto', body: BODY }),
      request(way, { path: '/v1/responses?%24alt=proto', body: BODY }),
    ],
    won: said('background', 'fields', 'proto'),
    careless: carelessPipe,
  }),
  asking({
    name: 'is sent cookies, orders to a terminal and ten thousand lines in the head of an answer',
    answers: ({ body }, response) => {
      const lines = HEADS[Number(/"(\d)"/.exec(body)?.[1])] ?? '';
      response.socket?.end(`HTTP/1.1 200 OK\r\n${lines}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`, 'latin1');
    },
    requests: (way) => HEADS.map((_, n) => request(way, { body: `{"model":"${n}"}` })),
    won: ({ said: { output } }) => ['OWN-COOKIE', '\u001b', 'X-Line'].find((word) => output.includes(word)),
    careless: carelessPipe,
  }),
];
