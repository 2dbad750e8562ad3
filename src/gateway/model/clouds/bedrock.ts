import type { IncomingMessage } from 'node:http';
import type { ModelCloud } from '../../../domain/model-cloud.ts';
import { readAll } from '../answer-body.ts';
import type { AskedRequest, CarriedAnswer, Carrier, Onward } from '../carrier.ts';
import { count, fields } from '../wires/fields.ts';
import { bedrockMessage, bedrockSaid, bedrockType, statusOf } from './bedrock-failure.ts';
import { partsOf, type StreamPart, serverSent } from './bedrock-stream.ts';
import { messagesFailure } from './messages-failure.ts';
import { below, betasIn, modelAt, purposeOf } from './messages-request.ts';
import { plainName } from './plain-name.ts';

const VERSION = 'bedrock-2023-05-31';

/**
 * Anthropic's models at Amazon Bedrock: the same messages, with the model in the path
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html), and in a stream of AWS's own
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html).
 */
export function bedrock(cloud: ModelCloud, base: URL): Carrier {
  return {
    onward(asked) {
      const purpose = purposeOf(asked.path);
      const model = modelAt(cloud, asked.body);
      if (purpose === undefined || model === undefined) return undefined;
      return purpose === 'count' ? counting(base, model, asked) : invoking(base, model, asked);
    },
    said: bedrockSaid,
    failure: (answer) => messagesFailure(answer, bedrockMessage(answer.body)),
    advice(answer) {
      if (bedrockType(answer) !== 'AccessDeniedException') return undefined;
      return 'It needs the permissions bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream, and the account access to the model.';
    },
    plainName,
  };
}

function invoking(base: URL, model: string, asked: AskedRequest): Onward {
  const { stream } = asked.body;
  const body = Buffer.from(JSON.stringify(invokeBody(asked)));
  const path = `/model/${encodeURIComponent(model)}`;
  if (stream !== true) return { url: below(base, `${path}/invoke`), body, headers: HEADERS };
  return {
    url: below(base, `${path}/invoke-with-response-stream`),
    body,
    headers: { ...HEADERS, accept: STREAM },
    back: streamed,
  };
}

const STREAM = 'application/vnd.amazon.eventstream';
const HEADERS = { 'content-type': 'application/json', accept: 'application/json' };

function invokeBody({ headers, body }: AskedRequest): Record<string, unknown> {
  const { model: _model, stream: _stream, ...rest } = body;
  const betas = betasIn(headers);
  return { ...rest, anthropic_version: VERSION, ...(betas.length === 0 ? {} : { anthropic_beta: betas }) };
}

/** A stream as the protocol has it. One that begins with a failure is a failure, and can still be asked for again. */
async function streamed(answer: IncomingMessage): Promise<CarriedAnswer> {
  if (answer.headers['content-type']?.startsWith(STREAM) !== true) throw new Error('it is not a stream of AWS');
  const parts = partsOf(answer);
  const { value: first, done } = await parts.next();
  const [part] = done === true ? [] : first;
  if (part?.kind === 'failure') {
    await parts.return();
    const { type, message } = part;
    const failure = JSON.stringify({ __type: asType(type), message: message || type });
    return { kind: 'failed', status: statusOf(type), headers: {}, body: failure };
  }
  return {
    kind: 'answer',
    contentType: 'text/event-stream; charset=utf-8',
    pieces: serverSentFrom(done === true ? [] : first, parts),
  };
}

/** Within a stream, types begin with a small letter. */
const asType = (type: string): string => type.charAt(0).toUpperCase() + type.slice(1);

async function* serverSentFrom(
  first: readonly StreamPart[],
  rest: AsyncIterable<readonly StreamPart[]>,
): AsyncGenerator<Buffer> {
  if (first.length > 0) yield serverSent(first);
  for await (const parts of rest) yield serverSent(parts);
}

/**
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html: takes a whole request, which has to say how much may be produced,
 * and knows models alone, not the profiles that lead to them in several regions.
 */
function counting(base: URL, model: string, asked: AskedRequest): Onward {
  const budget = count(fields(asked.body['thinking'])['budget_tokens']) ?? 0;
  const request = { max_tokens: budget + 1, ...invokeBody(asked) };
  const counted = { input: { invokeModel: { body: Buffer.from(JSON.stringify(request)).toString('base64') } } };
  const single = model.replace(/^[a-z-]+\.(?=anthropic\.)/, '');
  return {
    url: below(base, `/model/${encodeURIComponent(single)}/count-tokens`),
    body: Buffer.from(JSON.stringify(counted)),
    headers: HEADERS,
    async back(answer) {
      const { inputTokens } = fields(JSON.parse((await readAll(answer)).toString()));
      if (count(inputTokens) === undefined) throw new Error('it did not say how many tokens there are');
      return {
        kind: 'answer',
        contentType: 'application/json',
        pieces: of(Buffer.from(JSON.stringify({ input_tokens: inputTokens }))),
      };
    },
  };
}

async function* of(piece: Buffer): AsyncGenerator<Buffer> {
  yield piece;
}
