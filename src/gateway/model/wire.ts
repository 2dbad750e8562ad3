import type { IncomingHttpHeaders } from 'node:http';
import type { ModelApi, ModelTokens } from '../../domain/model-call.ts';

/** A protocol between agents and models, as far as the gateway reads it. Pure: nothing is sent or received here. */
export interface Wire {
  readonly api: ModelApi;
  /** What a request is for, by its method and its path below the endpoint's base address (`/responses`, without a query). Undefined for whatever is not needed: it is refused. */
  route(method: string, path: string): Route | undefined;
  /** The model that a body asks for, where the path does not name it. */
  modelOf(body: unknown): string | undefined;
  /** The tier of service that a body asks for, as the provider names it, in lower case; undefined where that is left to the upstream. Tiers differ in what they cost. */
  tierOf(body: unknown): string | undefined;
  /** What the client authenticates with, in whichever header of the protocol; undefined without any, or with several that differ. */
  tokenOf(headers: IncomingHttpHeaders): string | undefined;
  /** Names, in lower case, of all headers that could carry a credential, say who asks, or lead to an answer that cannot be counted: none of the client's is passed on. */
  readonly credentialHeaders: readonly string[];
  /** The headers that carry a key to the upstream. `variable` is where it was found: some names say that a key is of another kind. */
  credential(key: string, variable: string): Readonly<Record<string, string>>;
  /** The body to send on instead, where the client's would not have the upstream say what it used; undefined where it is fine as it is. */
  askingForUsage?(body: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined;
  /** Reads one answer as it passes by. */
  reader(contentType: string | undefined): AnswerReader;
  /** A failure in the protocol's own words, as its clients understand them: the body of an answer with that status. */
  failure(problem: Problem): Readonly<Record<string, unknown>>;
  /** The head of that answer. Its status may be another one than the problem's: by which clients show the message, and try again only where that helps, differs. */
  failureHead(problem: Problem): FailureHead;
}

export interface FailureHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export type Route =
  /** Uses tokens. `model` where the path names it. */
  | { readonly kind: 'call'; readonly model?: string }
  /** Costs nothing: lists of models, counts of tokens. */
  | { readonly kind: 'free' };

export interface Problem {
  readonly status: number;
  /** `limit`: a budget of this harness is spent. `quota`: the account's is. */
  readonly kind: 'auth' | 'refused' | 'too-large' | 'limit' | 'quota' | 'rate-limit' | 'unreachable';
  readonly message: string;
}

/** Reads the bytes of an answer without holding them up, or holding on to them. Never throws: what it cannot read, it does not know. */
export interface AnswerReader {
  /** A piece of the body, not compressed, cut anywhere. */
  take(chunk: Uint8Array): void;
  /** What is known by now. */
  readonly seen: Seen;
}

export interface Seen {
  /** As the upstream names it. */
  readonly model: string | undefined;
  /** As the upstream has said so far. */
  readonly tokens: ModelTokens | undefined;
  /** Parts of these that other models used for the same answer, such as one that was asked for advice. */
  readonly elsewhere?: readonly UsedElsewhere[] | undefined;
  /** The tier of service that it was given, in lower case; undefined where the upstream has not said. */
  readonly tier?: string | undefined;
  /** Whether the upstream has said all that it was going to: the last word of a stream, or a whole body. Not where an error broke it off before it had said what it used. */
  readonly isWhole: boolean;
  /** Characters of text, reasoning and calls of tools that have come: what tokens are estimated by where `tokens` is not the last word. */
  readonly produced: number;
  /** What went wrong, in the words of the upstream; an answer with status 200 may end in one. */
  readonly error: { readonly type: string | undefined; readonly message: string } | undefined;
}

export interface UsedElsewhere {
  readonly model: string;
  readonly tokens: ModelTokens;
}
