/** Text as it can stand in an element or an attribute. */
export function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** A cell with a number; a dash for none. */
export function cell(value: string | number | null | undefined, style = 'n'): string {
  return `<td class="${style}">${value ?? '–'}</td>`
}

/** A table with caption and column heads; on a narrow screen it scrolls sideways by itself. */
export function table(caption: string, head: readonly string[], rows: readonly string[]): string {
  const heads = head.map((name) => `<th scope="col">${escapeText(name)}</th>`).join('')
  return `<div class="wide" role="region" aria-label="${escapeText(caption)}" tabindex="0"><table><caption>${escapeText(caption)}</caption><thead><tr>${heads}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`
}

/** A plot, hidden from readers that cannot see it, with its numbers as a table. */
export function plot(
  kind: 'window' | 'trend' | 'wealth',
  place: string,
  caption: string,
  numbers: string,
): string {
  return `<figure><figcaption>${caption}</figcaption><div aria-hidden="true" data-plot="${kind}" data-place="${place}"></div>
<details><summary>Numbers</summary>${numbers}</details></figure>`
}
