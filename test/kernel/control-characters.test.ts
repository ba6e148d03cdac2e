import { describe, expect, it } from 'vitest'
import { escapeControls, escapeControlsInLines } from '../../src/kernel/control-characters.js'

const character = (code: number) => String.fromCharCode(code)
const codes = Array.from({ length: 0x10000 }, (_, code) => code)

/** What no text of a peer may carry to a terminal, by the names Unicode gives them. */
const isUnsafe = (code: number) => /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(character(code))

describe('escapeControls', () => {
  it('escapes every control and bidirectional character and both separators, and no other', () => {
    const changed = codes.filter((code) => escapeControls(character(code)) !== character(code))
    expect(changed).toEqual(codes.filter(isUnsafe))
  })

  it('writes them as JSON does, so that a string escaped twice is one string', () => {
    for (const code of codes.filter(isUnsafe))
      expect(JSON.parse(`"${escapeControls(character(code))}"`)).toBe(character(code))
  })
})

describe('escapeControlsInLines', () => {
  it('leaves line feeds and tabs, and nothing else that escapeControls takes', () => {
    const kept = codes.filter(
      (code) => isUnsafe(code) && escapeControlsInLines(character(code)) === character(code),
    )
    expect(kept.map(character)).toEqual(['\t', '\n'])
  })
})
