#!/usr/bin/env node
// Syntax that Node.js 12 reads, and no static import: an older Node.js must get as far as this sentence.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major > 20 || (major === 20 && minor >= 19)) void import('./start.js')
else {
  const found = `this is ${process.versions.node} (${process.execPath})`
  console.error(
    `Error [NODE_TOO_OLD]: targon needs Node.js 20.19 or newer, and ${found}. Install a newer Node.js.`,
  )
  process.exitCode = 78
}
