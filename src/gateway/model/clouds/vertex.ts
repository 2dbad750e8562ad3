import type { ModelCloud } from '../../../domain/model-cloud.ts';
import type { AskedRequest, Carrier, Onward } from '../carrier.ts';
import { messagesFailure } from './messages-failure.ts';
import { below, betasIn, modelAt, purposeOf } from './messages-request.ts';
import { plainName } from './plain-name.ts';
import { vertexMessage, vertexSaid } from './vertex-failure.ts';

const VERSION = 'vertex-2023-10-16';

/**
 * Anthropic's models at Google's Vertex AI: the same messages and the same stream, with the model in the path
 * (https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude).
 */
export function vertex(cloud: Extract<ModelCloud, { kind: 'vertex' }>, base: URL): Carrier {
  const root = /\/v1\/?$/.test(base.pathname) ? '' : '/v1';
  const models = `${root}/projects/${cloud.project}/locations/${cloud.region}/publishers/anthropic/models`;
  const at = (verb: string) => below(base, `${models}/${verb}`);
  return {
    onward(asked): Onward | undefined {
      const purpose = purposeOf(asked.path);
      const model = modelAt(cloud, asked.body);
      if (purpose === undefined || model === undefined) return undefined;
      const { model: _model, ...rest } = asked.body;
      const body = { ...rest, anthropic_version: VERSION };
      // https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/count-tokens: there, the model is in the body.
      if (purpose === 'count') return sent(at('count-tokens:rawPredict'), { ...body, model }, asked);
      const verb = asked.body['stream'] === true ? 'streamRawPredict' : 'rawPredict';
      return sent(at(`${encodeURIComponent(model)}:${verb}`), body, asked);
    },
    said: vertexSaid,
    failure: (answer) => messagesFailure(answer, vertexMessage(answer.body)),
    advice({ status }) {
      if (status !== 403) return undefined;
      return `It needs the permission aiplatform.endpoints.predict in ${cloud.project}, and the project the model, enabled in Model Garden.`;
    },
    plainName,
  };
}

function sent(url: URL, body: Readonly<Record<string, unknown>>, { headers }: AskedRequest): Onward {
  const betas = betasIn(headers).join(',');
  return {
    url,
    body: Buffer.from(JSON.stringify(body)),
    headers: { 'content-type': 'application/json', ...(betas === '' ? {} : { 'anthropic-beta': betas }) },
  };
}
