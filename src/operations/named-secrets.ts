import { selectChecks } from '../checks/select.ts';
import { secretsOfAgents } from '../domain/agent-entry.ts';
import type { Blueprint } from '../domain/blueprint.ts';
import type { RunSettings } from '../domain/settings.ts';
import type { CheckDeclaration, NodeKind } from '../ports/node.ts';
import { forPrograms, missingFrom, missingSecrets } from '../secrets/program-secrets.ts';
import type { OperationContext } from './operations.ts';

interface Named {
  readonly name: string;
  /** As a sentence has it: `the check test`. */
  readonly by: string;
}

/** Refuses with `secret/missing` a run in which a program would not get a secret that it names. */
export async function refuseMissingSecrets(
  context: OperationContext,
  { blueprint, settings, repository }: { blueprint: Blueprint; settings: RunSettings; repository: string },
): Promise<void> {
  const { engine, secrets } = context;
  const named = [
    ...(settings.setupSecrets ?? []).map((name) => ({ name, by: 'setup' })),
    ...namedIn(blueprint, settings.checks, engine.kinds),
  ];
  if (named.length === 0) return;
  const missing = missingFrom(
    forPrograms(await secrets.list(), secretsOfAgents((await context.machine()).agents)),
    repository,
    named.map(({ name }) => name),
  );
  const first = missing.flatMap((wanted) => named.find(({ name }) => name === wanted) ?? []);
  if (first.length > 0) throw missingSecrets(first);
}

/** What its nodes name, and the checks that they run. */
function namedIn(
  blueprint: Blueprint,
  checks: readonly CheckDeclaration[],
  kinds: ReadonlyMap<string, NodeKind>,
): Named[] {
  const nodes = Object.values(blueprint.nodes).flatMap((node) => {
    const references = kinds.get(node.kind)?.descriptor.references?.(node.fields);
    const own = (references?.secrets ?? []).map((name) => ({ name, by: `the node ${node.name}` }));
    const used = selectChecks(references?.checks ?? [], checks).checks;
    return [
      ...own,
      ...used.flatMap((check) => (check.secrets ?? []).map((name) => ({ name, by: `the check ${check.name}` }))),
    ];
  });
  return [...nodes, ...Object.values(blueprint.blueprints).flatMap((inner) => namedIn(inner, checks, kinds))];
}
