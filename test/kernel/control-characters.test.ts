import { describe, expect, it } from 'vitest'
import { escapeControls, escapeControlsInLines } from '../../src/kernel/control-characters.js'

const character = (code: number) => String.fromCharCode(code)
const codes = Array.from({ length: 0x10000 }, (_, code) => code)

/** The unsafe characters by their Unicode properties. */
const isUnsafe = (code: number) => /[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u.test(character(code))

describe('escapeControls', () => {
  it('escapes exactly the control and bidirectional characters and both separators', () => {
    const changed = codes.filter((code) => escapeControls(character(code)) !== character(code))
    expect(changed).toEqual(codes.filter(isUnsafe))
  })

  it('escapes them as JSON does', () => {
    for (const code of codes.filter(isUnsafe))
      expect(JSON.parse(`"${escapeControls(character(code))}"`)).toBe(character(code))
  })
})

describe('escapeControlsInLines', () => {
  it('keeps only line feeds and tabs', () => {
    const kept = codes.filter(
      (code) => isUnsafe(code) && escapeControlsInLines(character(code)) === character(code),
    )
    expect(kept.map(character)).toEqual(['\t', '\n'])
  })
})
