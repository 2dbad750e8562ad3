import type { ModelApi } from '../../../domain/model-call.ts';
import type { Wire } from '../wire.ts';
import { anthropic } from './anthropic.ts';
import { chat } from './chat.ts';
import { gemini } from './gemini.ts';
import { responses } from './responses.ts';

export function wireOf(api: ModelApi): Wire {
  return WIRES[api];
}

const WIRES: Readonly<Record<ModelApi, Wire>> = { anthropic, responses, chat, gemini };
