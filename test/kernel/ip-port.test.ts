import { expect, it } from 'vitest'
import { parseIpPort } from '../../src/kernel/ip-port.js'

it.each([
  ['203.0.113.5:8091', '203.0.113.5', 8091],
  ['[2001:db8::1]:1', '2001:db8::1', 1],
  ['[::1]:65535', '::1', 65_535],
])('parseIpPort reads %s', (text, ip, port) => {
  expect(parseIpPort(text)).toEqual({ ip, port })
})

it.each(
  // host name, missing or invalid ports, brackets around the wrong family or nothing, IPv6 without brackets
  [
    'my.host:80',
    '1.2.3.4',
    '1.2.3.4:0',
    '1.2.3.4:65536',
    '1.2.3.4:-1',
    '1.2.3.4: 80',
    '[1.2.3.4]:80',
    '[]:80',
    '::1:80',
    '2001:db8::1',
    'http://1.2.3.4:80',
    '1.2.3.4:80/x',
    '',
  ],
)('parseIpPort rejects %j', (text) => {
  expect(parseIpPort(text)).toBeUndefined()
})
