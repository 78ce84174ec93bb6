/** What a test expects of an error. uvu's `throws` takes a text for the words of its own failure and compares nothing. */

/** For `assert.throws`: the message holds this text. */
export function saying(text: string): (error: unknown) => boolean {
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    if (message.includes(text)) return true;
    throw new Error(`expected ${JSON.stringify(text)}, but it says ${JSON.stringify(message)}`);
  };
}
