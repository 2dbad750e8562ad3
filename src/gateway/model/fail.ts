import type { ServerResponse } from 'node:http';
import type { Problem, Wire } from './wire.ts';

/** Answers in the protocol's own words; where an answer has begun, breaks it off. */
export function fail({ wire }: { readonly wire: Wire }, response: ServerResponse, problem: Problem): void {
  if (response.headersSent) return void response.destroy();
  // A client that is still sending would not read an answer that ends its connection.
  response.req.resume();
  const { status, headers } = wire.failureHead(problem);
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...headers });
  response.end(JSON.stringify(wire.failure(problem)));
}
