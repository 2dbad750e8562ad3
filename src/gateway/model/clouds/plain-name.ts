/**
 * The name by which Anthropic itself calls a model, of what a cloud calls it: `us.anthropic.claude-x-v1:0`, `claude-x@20260101`, or an ARN that ends in one
 * of these. Dates stay.
 */
export function plainName(model: string): string {
  const last = model.slice(model.lastIndexOf('/') + 1);
  return last
    .replace(/^(?:[a-z-]+\.)?anthropic\./, '')
    .replace(/-v\d+(?::\d+\w*)?$/, '')
    .replace('@', '-');
}
