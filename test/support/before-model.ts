import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers a request itself, or leaves it to the model server behind by `pass`. */
export type Before = (request: IncomingMessage, response: ServerResponse, pass: () => void) => void;

/** A server on loopback that stands before a model server. Disposing ends it with all that is under way. */
export interface BeforeModel extends AsyncDisposable {
  /** For an entry's `endpoint.baseUrl`. */
  readonly baseUrl: string;
}

export async function beforeModel(model: { readonly baseUrl: string }, before: Before): Promise<BeforeModel> {
  const target = new URL(model.baseUrl);
  const server = createServer((request, response) => {
    const pass = (): void => {
      const { method, headers, url = '' } = request;
      const onward = httpRequest({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      request.pipe(onward);
    };
    before(request, response, pass);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}${target.pathname}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
