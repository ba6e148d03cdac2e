import { expect, test } from 'vitest'
import { originOf } from '../../../../src/roles/validator/subnet/origin.js'

test('puts IPv6 in brackets', () => {
  expect(originOf({ ip: '2606:4700::1111', port: 80 })).toBe('http://[2606:4700::1111]:80')
  expect(originOf({ ip: '1.1.1.1', port: 8091 })).toBe('http://1.1.1.1:8091')
})
