/**
 * Asks a database one thing over a connection of its own. Rejects when it does not answer within `timeoutMs`, with whatever the driver
 * says.
 */
export async function askDatabase<Row extends object>(
  url: string,
  { text, values = [] }: { readonly text: string; readonly values?: readonly unknown[] },
  timeoutMs: number,
): Promise<Row[]> {
  const { Client } = await import('pg');
  const client = new Client({ connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs });
  // A connection that breaks later says so by an event, which must have a listener.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end().catch(() => undefined); // it may never have begun
  }
}
