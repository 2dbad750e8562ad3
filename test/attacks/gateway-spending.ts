import { createServer, type ServerResponse } from 'node:http';
import { tempRepository } from '../../src/testing/temp-repository.ts';
import type { Attack, Canary, Twin } from './attack.ts';
import { BUDGET, calling, type Metered, meteredAt } from './gateway-installed.ts';
import { type Answers, carelessWay, type Provider, provider } from './gateway-way.ts';
import { hostileRun } from './installed.ts';
import type { Stage } from './stage.ts';

/** What an agent may try to use more of its model than its budget has. */

const event = (type: string, more: object): string => `data: ${JSON.stringify({ type, ...more })}\n\n`;
const CREATED = event('response.created', { response: { model: 'known' } });
const WORDS = event('response.output_text.delta', { delta: 'word '.repeat(800) });
const completed = (usage: unknown): string =>
  `data: {"type":"response.completed","response":{"model":"known","status":"completed","usage":${JSON.stringify(usage)}}}\n\n`;

/** Of what each answer that came is worth, about, as the provider would count it. */
const TOKENS = 4_000;
const HONEST = { input_tokens: 100, output_tokens: TOKENS, total_tokens: TOKENS + 100 };

function begins(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`${CREATED}${WORDS.repeat(4)}`);
  response.write(event('response.output_text.delta', { delta: 'LAST' }));
}

/** Says what was used only when everybody has had the time to hang up. */
const saysLate: Answers = (_arrived, response) => {
  begins(response);
  const late = setTimeout(() => response.end(completed(HONEST)), 2_000);
  response.once('close', () => clearTimeout(late));
};

const says =
  (usage: unknown): Answers =>
  (_arrived, response) => {
    begins(response);
    response.end(completed(usage));
  };

/** Numbers that are none, or that would take away from a sum. */
const WRONG = [
  '{"input_tokens":-100000,"output_tokens":-100000}',
  '{"input_tokens":-1e308,"output_tokens":1e308}',
  '{"input_tokens":"100","output_tokens":"-5000"}',
  '{"input_tokens":NaN,"output_tokens":NaN}',
  '{"input_tokens":1e400,"output_tokens":-1e400}',
  '{"input_tokens":null,"output_tokens":[],"total_tokens":-7}',
];
const saysWrong: Answers = (arrived, response) => {
  begins(response);
  const usage = WRONG[Number(/"n":(\d+)/.exec(arrived.body)?.[1] ?? 0) % WRONG.length];
  response.end(
    `data: {"type":"response.completed","response":{"model":"known","status":"completed","usage":${usage}}}\n\n`,
  );
};

const answersAfterAll: Answers = (arrived, response) => {
  const late = setTimeout(() => void says(HONEST)(arrived, response), 1_500);
  response.once('close', () => clearTimeout(late));
};

interface Spending {
  readonly name: string;
  readonly answers: Answers;
  readonly program: string;
  /** How many of its requests are worked on at the most, for what the budget has. */
  readonly most: number;
  /** At once, on one repository. */
  readonly runs?: number;
}

const SMALL = `"{\\"model\\":\\"known\\",\\"n\\":$n}"`;
/** Of ten thousand tokens, about. */
const LARGE = `"{\\"model\\":\\"known\\",\\"input\\":\\"" . ("word " x 8000) . "\\"}"`;

const SPENDING: readonly Spending[] = [
  {
    name: 'hangs up just before the end of each answer, so that nobody says what it has used',
    answers: saysLate,
    program: `for my $n (1 .. 30) { my $c = begin(${SMALL}) or next; hear($c, "LAST"); close $c }`,
    most: 6,
  },
  {
    name: 'hangs up on each answer before it has begun',
    answers: answersAfterAll,
    program: `for my $n (1 .. 20) { my $c = begin(${LARGE}) or next; select(undef, undef, undef, 0.3); close $c }`,
    most: 4,
  },
  {
    name: 'asks for a hundred answers at once, before any of them counts',
    answers: answersAfterAll,
    program: `for my $round (1 .. 4) { my @all = map { begin(${LARGE}) } 1 .. 25; hear($_) for @all }`,
    most: 4,
  },
  {
    name: 'has a budget go down by numbers that are negative, infinite, or none at all',
    answers: saysWrong,
    program: `for my $n (1 .. 30) { hear(begin(${SMALL})) }`,
    most: 7,
  },
  {
    name: 'uses what is left of a budget in two runs at once',
    answers: says(HONEST),
    program: `for my $n (1 .. 15) { hear(begin(${SMALL})) }`,
    most: 8,
    runs: 2,
  },
];

function spends({ name, answers, program, most, runs = 1 }: Spending): Attack {
  const bounded = (count: number): Canary => ({
    before: 'bounded',
    after: count <= most ? 'bounded' : `${count} calls of ${TOKENS} for ${BUDGET}`,
  });
  const really = async (level: Stage['level']) => {
    const metered = await meteredAt(level);
    const worked = await workedOn(metered, { answers, script: calling(program), runs });
    if (worked === 0) throw new Error('no request came through at all');
    return bounded(worked);
  };
  return {
    name,
    subject: 'gateway budgets',
    play: ({ level }) => really(level),
    async careless(stage) {
      const open = await really('none');
      if (open.after !== open.before) throw new Error(`the budget itself is gone beyond: ${open.after}`);
      await using to = await provider(answers);
      const each = async () => {
        await using way = await carelessMeter(to);
        await stage.agent(`OPENAI_BASE_URL=http://127.0.0.1:${way.port}/v1 OPENAI_API_KEY=x ${calling(program)}`);
      };
      await Promise.all(Array.from({ length: runs }, each));
      return bounded(to.arrived.length);
    },
    twin: IS_COUNTED,
  };
}

/** How many requests the provider has worked on for runs whose agent is that script, until they stand still. */
async function workedOn(
  metered: Metered,
  { answers, script, runs }: { answers: Answers; script: string; runs: number },
): Promise<number> {
  const { at } = metered;
  metered.answers = answers;
  const before = metered.provider.arrived.length;
  await using repository = await tempRepository({
    'README.md': 'x\n',
    'agent.sh': script,
    '.switchyard/config.yaml': 'checks: {}\nsetup: none\n',
  });
  const run = () => at.cli(['run', 'Be good', '--agent', 'hostile', '--json'], { cwd: repository.path });
  const results = await Promise.all(Array.from({ length: runs }, run));
  if (results.some(({ stdout }) => !stdout.includes('"run"'))) throw new Error(results[0]?.stderr);
  const usage = await at.cli(['usage', '--by', 'repository', '--json']);
  const { rows } = JSON.parse(usage.stdout) as { rows: { name: string; tokens: { input: number; output: number } }[] };
  const sum = rows.find(({ name }) => name === repository.path)?.tokens;
  if (sum === undefined || !(sum.input >= 0 && sum.output >= 0 && sum.input + sum.output < 10 * BUDGET))
    throw new Error(`the sum is ${JSON.stringify(sum)}`);
  return metered.provider.arrived.length - before;
}

/** Believes what an answer says at its end, and asks its sum before a request. */
async function carelessMeter(to: Provider) {
  let sum = 0;
  const server = createServer((request, response) => {
    if (sum >= BUDGET) return void response.writeHead(402).end();
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const gone = new AbortController();
      void fetch(`http://127.0.0.1:${to.port}${request.url}`, {
        method: 'POST',
        body: Buffer.concat(pieces),
        signal: gone.signal,
      })
        .then(async (answer) => {
          let text = '';
          for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
            text += Buffer.from(piece).toString();
            response.write(piece);
          }
          response.end();
          const [, input, output] = /"input_tokens":"?(-?[\w.+]+)"?,"output_tokens":"?(-?[\w.+]+)"?/.exec(text) ?? [];
          sum += Number(input) + Number(output);
        })
        .catch(() => response.destroy());
      response.once('close', () => gone.abort());
    });
  });
  return carelessWay(server);
}

const IS_COUNTED: Twin = {
  name: 'works within its budget, and what it used is known',
  async works({ level }) {
    const metered = await meteredAt(level);
    metered.answers = says(HONEST);
    const script = `${calling('my $n = 1; print hear(begin("{\\"model\\":\\"known\\"}")) =~ /LAST/ ? "heard" : "nothing"')} >heard.txt; grep heard heard.txt`;
    await using run = await hostileRun(level, script, { at: metered.at });
    const usage = await metered.at.cli(['usage', run.detail.id, '--json']);
    const { rows } = JSON.parse(usage.stdout) as { rows: { calls: number; tokens: { output: number } }[] };
    if (run.result.code !== 0 || rows[0]?.calls !== 1 || rows[0].tokens.output !== TOKENS)
      throw new Error(`it ended with ${run.result.code}: ${usage.stdout}${run.result.stdout.slice(-500)}`);
  },
};

/** What is counted is what has gone through, whatever an agent says of itself. */
const lies: Attack = {
  name: 'says that it has used nearly nothing',
  subject: 'gateway budgets',
  play: ({ level }) => counted(level, true),
  careless: () => counted('none', false),
  twin: IS_COUNTED,
};

async function counted(level: Stage['level'], isMetered: boolean): Promise<Canary> {
  const metered = await meteredAt(level);
  metered.answers = says(HONEST);
  const port = metered.provider.port;
  const way = isMetered ? '' : `export OPENAI_BASE_URL=http://127.0.0.1:${port}/v1 OPENAI_API_KEY=x; `;
  const lines = [`{"kind":"usage","usage":{"input":1,"output":1}}`, `{"kind":"end"}`].map((line) => `echo '${line}'`);
  const script = `${way}${calling('my $n = 1; hear(begin("{\\"model\\":\\"known\\"}"))')}; ${lines.join('; ')}`;
  const args = ['--agent', isMetered ? 'liar' : 'alone'];
  await using run = await hostileRun(level, script, { at: metered.at, args });
  const { usage } = run.detail;
  return { before: 'counted', after: usage.output >= TOKENS ? 'counted' : `counted ${usage.output}` };
}

export const gatewaySpending: readonly Attack[] = [...SPENDING.map(spends), lies];
