const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The text with its percent-encoded characters as themselves. A percent sign that begins none, and bytes that are no UTF-8, stay as they
 * are written: what people write into an address is not always encoded.
 */
export function percentDecoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (encoded) => {
    try {
      return decoder.decode(Buffer.from(encoded.replaceAll('%', ''), 'hex'));
    } catch {
      return encoded;
    }
  });
}
