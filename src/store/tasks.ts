import type { Task } from '../domain/task.ts';
import { insert } from './changes.ts';
import type { Queries } from './database.ts';

/** Stores the task with its repositories and dependencies. One of the same id or origin is left as it is; returns the id of what is stored. */
export async function insertTask(queries: Queries, task: Task, at: Date): Promise<string> {
  const { repositories, dependencies, ...row } = task;
  if (!(await insert(queries, 'task', { ...row, created_at: at }))) {
    const [known] = await queries.query<{ id: string }>('select id from task where id = $1 or origin = $2', [
      task.id,
      task.origin,
    ]);
    if (known === undefined) throw new Error(`task ${task.id} was neither stored nor found`);
    return known.id;
  }
  for (const [position, { repository, baseRef }] of repositories.entries()) {
    await insert(queries, 'task_repository', { task: task.id, position, repository, base_ref: baseRef });
  }
  for (const other of dependencies) await insert(queries, 'task_dependency', { task: task.id, depends_on: other });
  return task.id;
}

export async function getTask(queries: Queries, id: string): Promise<Task> {
  const [row] = await queries.query<Task>(
    `select id, title, body, links, attachments, labels, priority, requester, origin,
       (select coalesce(jsonb_agg(jsonb_build_object('repository', repository, 'baseRef', base_ref) order by position), '[]') from task_repository where task = id) as repositories,
       (select coalesce(jsonb_agg(depends_on), '[]') from task_dependency where task = id) as dependencies
     from task where id = $1`,
    [id],
  );
  if (row === undefined) throw new Error(`task ${id} is gone`);
  return row;
}
