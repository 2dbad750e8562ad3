/**
 * Finds the loops of a graph that may go on for ever.
 *
 * A node is two vertices: its *entry*, and its *step* behind it. Past its `max` a node is left from its entry over the edge for
 * `exhausted`, so a loop that passes it in that way is not bounded by it. A run that never ends passes some set of vertices for
 * ever, and in the end only those. A step with a `max` whose `per` is outside of a set of connected vertices cannot be passed for
 * ever while the run stays in the set; so such steps are taken away, again and again, until none is left. A connected set that
 * still holds a step is a loop, or several that restart each other's count. One of entries alone ends by itself: see `advance`.
 */
export interface LoopNode {
  readonly name: string;
  readonly max?: number | undefined;
  readonly per?: string | undefined;
  readonly edges: readonly { readonly outcome: string; readonly to: string }[];
}

/** `loop`: its nodes in order. `tangle`: nodes of loops each of which is bounded alone, but not together. */
export interface UnboundedLoop {
  readonly kind: 'loop' | 'tangle';
  readonly nodes: readonly string[];
}

export function unboundedLoops(nodes: readonly LoopNode[]): UnboundedLoop[] {
  const graph = toGraph(nodes);
  return unboundedSets(graph, new Set(graph.keys())).map((set) => nameLoop(graph, set));
}

interface Vertex {
  readonly node: LoopNode;
  readonly isStep: boolean;
  readonly to: readonly string[];
}
type Graph = ReadonlyMap<string, Vertex>;

const entry = (name: string) => `> ${name}`;
const step = (name: string) => `* ${name}`;

function toGraph(nodes: readonly LoopNode[]): Graph {
  const names = new Set(nodes.map((node) => node.name));
  const graph = new Map<string, Vertex>();
  for (const node of nodes) {
    const edges = node.edges.filter((edge) => names.has(edge.to));
    const past = node.max === undefined ? [] : edges.filter((edge) => edge.outcome === 'exhausted');
    graph.set(entry(node.name), { node, isStep: false, to: [step(node.name), ...past.map((edge) => entry(edge.to))] });
    graph.set(step(node.name), { node, isStep: true, to: edges.map((edge) => entry(edge.to)) });
  }
  return graph;
}

function unboundedSets(graph: Graph, within: ReadonlySet<string>): Set<string>[] {
  return connectedSets(graph, within).flatMap((set) => {
    const bounded = [...set].filter((id) => isBounded(graph, set, id));
    if (bounded.length > 0) return unboundedSets(graph, set.difference(new Set(bounded)));
    return [...set].some((id) => graph.get(id)?.isStep) ? [set] : [];
  });
}

function isBounded(graph: Graph, set: ReadonlySet<string>, id: string): boolean {
  const vertex = graph.get(id);
  if (vertex === undefined || !vertex.isStep || vertex.node.max === undefined) return false;
  return vertex.node.per === undefined || !set.has(step(vertex.node.per));
}

/** The largest sets in which a way leads from each vertex to each (Tarjan); single vertices are left out, as none leads to itself. */
function connectedSets(graph: Graph, within: ReadonlySet<string>): Set<string>[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const sets: Set<string>[] = [];

  const visit = (id: string): number => {
    const index = order.size;
    order.set(id, index);
    lowest.set(id, index);
    stack.push(id);
    for (const next of graph.get(id)?.to ?? []) {
      if (!within.has(next)) continue;
      const seen = order.get(next);
      const reach = seen === undefined ? visit(next) : stack.includes(next) ? seen : index;
      lowest.set(id, Math.min(lowest.get(id) ?? index, reach));
    }
    if (lowest.get(id) === index) sets.push(new Set(stack.splice(stack.indexOf(id))));
    return lowest.get(id) ?? index;
  };

  for (const id of within) if (!order.has(id)) visit(id);
  return sets.filter((set) => set.size > 1);
}

/** Starts with the node that is written first. The shortest loop of the set that is unbounded by itself, else all nodes whose counts are restarted in it. */
function nameLoop(graph: Graph, set: ReadonlySet<string>): UnboundedLoop {
  const loops = [...set]
    .filter((id) => graph.get(id)?.isStep)
    .map((id) => shortestLoop(graph, set, id))
    .filter((loop) => !loop.some((id) => isBounded(graph, new Set(loop), id)))
    .sort((a, b) => a.length - b.length);
  const written = new Set([...graph.values()].map((vertex) => vertex.node.name));
  const nodesOf = (ids: readonly string[]) => {
    const names = [...new Set(ids.flatMap((id) => graph.get(id)?.node.name ?? []))];
    const first = names.indexOf([...written].find((name) => names.includes(name)) ?? '');
    return [...names.slice(first), ...names.slice(0, first)];
  };
  const shortest = loops[0];
  return shortest === undefined
    ? { kind: 'tangle', nodes: nodesOf([...set]) }
    : { kind: 'loop', nodes: nodesOf(shortest) };
}

function shortestLoop(graph: Graph, set: ReadonlySet<string>, start: string): string[] {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const id of queue) {
    for (const next of graph.get(id)?.to ?? []) {
      if (next === start) return wayTo(id, cameFrom);
      if (!set.has(next) || cameFrom.has(next)) continue;
      cameFrom.set(next, id);
      queue.push(next);
    }
  }
  return [start];
}

function wayTo(last: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [last];
  for (let id = cameFrom.get(last); id !== undefined; id = cameFrom.get(id)) way.unshift(id);
  return way;
}
