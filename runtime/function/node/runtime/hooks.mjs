// Loads bundles in the place of the TypeScript files that they are made of. It runs on the thread of Node's module hooks.

const sources = new Map(); // by URL

export function initialize({ port }) {
  port.on('message', ({ url, code }) => {
    sources.set(url, code);
    port.postMessage('received');
  });
  port.unref();
}

export async function load(url, context, nextLoad) {
  const source = sources.get(url);
  if (source === undefined) return nextLoad(url, context);
  return { format: 'module', shortCircuit: true, source };
}
