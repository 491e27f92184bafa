/** How well a typed query fits a text: words in any order, starts of words first, letters in order last. */

/** A score above zero when `query` fits `text`, higher when it fits better; zero when it does not. */
export function matchScore(query: string, text: string): number {
  const wanted = query.trim().toLowerCase();
  const held = text.toLowerCase();
  if (wanted === "") return 1;
  if (held === wanted) return 100;
  if (held.startsWith(wanted)) return 80;
  const words = wanted.split(/\s+/);
  if (words.every((word) => held.includes(word))) {
    return words.every((word) => startsAWord(held, word)) ? 60 : 40;
  }
  return words.length === 1 && lettersInOrder(held, wanted) ? 10 : 0;
}

function startsAWord(text: string, word: string): boolean {
  const at = text.indexOf(word);
  return at === 0 || /[\s_./-]/.test(text.charAt(at - 1));
}

function lettersInOrder(text: string, letters: string): boolean {
  let from = 0;
  for (const letter of letters) {
    const at = text.indexOf(letter, from);
    if (at < 0) return false;
    from = at + 1;
  }
  return true;
}
