import { type ChatCompletionRequest, type FixtureResponse, LLMock } from '@copilotkit/aimock';

/** What an agent asked of the model, whichever protocol it speaks. */
export interface ModelRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly text: string }[];
}

export type ModelReply =
  | { readonly text: string }
  | { readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  /** An error of HTTP; `code` is the protocol's own word for it. */
  | { readonly status: number; readonly message: string; readonly code?: string }
  /** No answer, as long as the server lives. */
  | { readonly hang: true };

/** A model on loopback that answers as a test says. Each answer costs 100 tokens of input and 10 of output. */
export interface ModelServer extends AsyncDisposable {
  /** For an entry's `endpoint.baseUrl`. */
  readonly baseUrl: string;
  /** All that were to be answered, in order. */
  requests(): readonly ModelRequest[];
}

export interface ModelServerOptions {
  /** Whoever comes with another gets a 401. */
  readonly key?: string;
  /** Breaks every answer off after its beginning. */
  readonly cut?: boolean;
}

export async function startModelServer(
  reply: (request: ModelRequest) => ModelReply,
  { key, cut = false }: ModelServerOptions = {},
): Promise<ModelServer> {
  const auth = key === undefined ? {} : { auth: { apiKeys: [key] } };
  const server = new LLMock({ port: 0, host: '127.0.0.1', ...auth });
  const requests: ModelRequest[] = [];
  const { promise: closing, resolve: close } = Promise.withResolvers<FixtureResponse>();
  const respond = async ({ model, messages }: ChatCompletionRequest) => {
    const request = { model, messages: messages.map(withText) };
    requests.push(request);
    const answer = reply(request);
    return 'hang' in answer ? closing : responseOf(answer);
  };
  server.on({ predicate: () => true }, respond, cut ? { chunkSize: 5, truncateAfterChunks: 4 } : {});
  const url = await server.start();
  return {
    baseUrl: `${url}/v1`,
    requests: () => requests,
    async [Symbol.asyncDispose]() {
      close(responseOf({ status: 503, message: 'the model server is closing' }));
      await server.stop();
    },
  };
}

/** How many tools the agent has used since it was last asked something. */
export function toolsUsed({ messages }: ModelRequest): number {
  const lastQuestion = messages.findLastIndex(({ role }) => role === 'user');
  return messages.slice(lastQuestion + 1).filter(({ role }) => role === 'tool').length;
}

function responseOf(answer: Exclude<ModelReply, { hang: true }>): FixtureResponse {
  if ('status' in answer) {
    const { status, message, code = CODES[status] } = answer;
    return { status, error: { message, ...(code !== undefined && { type: code, code }) } };
  }
  const usage = { input_tokens: 100, output_tokens: 10 };
  if ('text' in answer) return { content: answer.text, usage };
  return { toolCalls: [{ name: answer.tool, arguments: JSON.stringify(answer.input) }], usage };
}

/** As servers name these errors; agents look at the names, too. */
const CODES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
};

function withText({ role, content }: { role: string; content: string | { text?: string }[] | null }) {
  const text = typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('\n');
  return { role, text };
}
