// fhir-kit-client does what a GP system does. What it needs comes in as JSON, and what failed goes
// out as JSON: the test that starts it judges.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import { Client } from "fhir-kit-client";

const given = JSON.parse(await text(process.stdin));
const as = (face) => new Client({ baseUrl: given.fhir, bearerToken: given.tokens[face] });
const gp = as("gp-system");
const entries = (bundle) => (bundle.entry ?? []).map((entry) => entry.resource);

const byPatient = async (resourceType, name) =>
  entries(
    await gp.search({
      resourceType,
      searchParams: { "patient:identifier": given.patients[name] },
      options: { postSearch: true },
    }),
  );

const searched = async (searchParams) =>
  entries(await gp.search({ resourceType: "Flag", searchParams }));

const paged = async (searchParams) => {
  const found = [];
  let bundle = await gp.search({ resourceType: "Flag", searchParams });
  while (bundle) {
    found.push(...entries(bundle));
    bundle = await gp.nextPage({ bundle });
  }
  return found;
};

const followed = async (resourceType) => {
  const found = [];
  let bundle = await gp.history({ resourceType });
  while (bundle.entry?.length) {
    found.push(...bundle.entry);
    bundle = await gp.nextPage({ bundle });
  }
  return found;
};

const refused = async (status, asked) => {
  const error = await asked().then(
    () => assert.fail("it was not refused"),
    (raised) => raised,
  );
  assert.equal(error.response?.status, status);
  assert.equal(error.response.data.resourceType, "OperationOutcome");
};

const operations = {
  "reads the capability statement": async () => {
    const said = await gp.capabilityStatement();
    assert.equal(said.fhirVersion, "4.0.1");
    assert.equal(Client.httpFor(said).response.headers.get("content-type"), "application/fhir+json");
  },
  "searches by patient, posting": async () => {
    const [flag, ...more] = await byPatient("Flag", "plan");
    assert.equal(flag.code.coding[0].code, "342191000000101");
    assert.equal(more.length, 0);
  },
  "finds a request": async () => {
    const [task] = await byPatient("Task", "enquiry-father");
    assert.equal(task.status, "requested");
  },
  "finds nothing of another practice's patient": async () => {
    assert.deepEqual(await byPatient("Flag", "elsewhere"), []);
  },
  "never puts a patient into an address": async () => {
    await refused(422, () => searched({ "patient:identifier": given.patients.plan }));
  },
  "searches all": async () => assert.ok((await searched({})).length > 10),
  "searches by status": async () => {
    const found = await searched({ status: "active" });
    assert.ok(found.length > 0 && found.every((flag) => flag.status === "active"));
  },
  "searches by code": async () => {
    const code = "http://snomed.info/sct|342191000000101";
    assert.equal((await searched({ code })).length, 3);
  },
  "searches by category": async () => {
    assert.equal((await searched({ category: "SG" })).length, (await searched({})).length);
  },
  "searches by two instants": async () => {
    const _lastUpdated = ["ge2024-01-01T00:00:00Z", "lt2124-01-01T00:00:00Z"];
    assert.equal((await searched({ _lastUpdated })).length, (await searched({})).length);
  },
  "searches by id": async () => {
    const [flag] = await searched({});
    assert.deepEqual(await searched({ _id: flag.id }), [flag]);
  },
  pages: async () => assert.deepEqual(await paged({ _count: 3 }), await searched({})),
  "pages within a search": async () => {
    assert.deepEqual(await paged({ _count: 2, status: "active" }), await searched({ status: "active" }));
  },
  reads: async () => {
    const [flag] = await searched({});
    assert.deepEqual(await gp.read({ resourceType: "Flag", id: flag.id }), flag);
  },
  "reads again only what changed": async () => {
    const [{ id }] = await searched({});
    const first = await gp.read({ resourceType: "Flag", id });
    const etag = Client.httpFor(first).response.headers.get("etag");
    const again = gp.read({ resourceType: "Flag", id, options: { headers: { "if-none-match": etag } } });
    assert.equal((await again.catch((raised) => raised)).response.status, 304);
  },
  "reads a version": async () => {
    const [flag] = await searched({});
    const version = flag.meta.versionId;
    assert.deepEqual(await gp.vread({ resourceType: "Flag", id: flag.id, version }), flag);
  },
  "reads a flag's own history": async () => {
    const [amended] = await byPatient("Flag", "amended");
    const history = await gp.history({ resourceType: "Flag", id: amended.id });
    assert.equal(history.type, "history");
    assert.deepEqual(history.entry[0].resource, amended);
  },
  "resolves a reference": async () => {
    const [flag] = await searched({});
    assert.deepEqual(await gp.resolve({ reference: `Flag/${flag.id}` }), flag);
  },
  "follows the feed": async () => {
    const numbers = (await followed("Flag")).map((entry) => entry.extension[0].valuePositiveInt);
    assert.deepEqual(numbers, [...numbers.keys()].map((place) => place + 1));
    assert.ok(numbers.length > 20);
  },
  "follows the feed of requests": async () => assert.equal((await followed("Task")).length, 1),
  "finds nothing new at the end of the feed": async () => {
    let bundle = await gp.history({ resourceType: "Flag" });
    while (bundle.entry?.length) bundle = await gp.nextPage({ bundle });
    assert.deepEqual(entries(await gp.nextPage({ bundle })), []);
  },
  "holds what the digest says": async () => {
    const newest = new Map();
    for (const { resource } of await followed("Flag")) if (resource) newest.set(resource.id, resource);
    const lines = [...newest.values()]
      .filter((flag) => flag.status === "active")
      .map((flag) => `${flag.id}/${flag.meta.versionId}\n`)
      .sort();
    const said = await gp.operation({ name: "digest", resourceType: "Flag", method: "GET" });
    const [count, sha256] = said.parameter;
    assert.equal(count.valueUnsignedInt, lines.length);
    assert.equal(sha256.valueString, createHash("sha256").update(lines.join("")).digest("hex"));
  },
  acknowledges: async () => {
    const [flag] = await searched({});
    const parameter = [{ name: "version", valueString: flag.meta.versionId }];
    const input = { resourceType: "Parameters", parameter };
    assert.equal((await gp.operation({ name: "acknowledge", input })).resourceType, "Parameters");
  },
  "is told of a flag that is not there": () =>
    refused(404, () => gp.read({ resourceType: "Flag", id: "0".repeat(32) })),
  "is told of a bad token": () => {
    const nobody = new Client({ baseUrl: given.fhir, bearerToken: "nobody" });
    return refused(401, () => nobody.search({ resourceType: "Flag" }));
  },
  "is told that a practice is not admitted": () =>
    refused(403, () => as("gp-system-unadmitted").search({ resourceType: "Flag" })),
  "is told that there are no patients here": () =>
    refused(404, () => gp.search({ resourceType: "Patient" })),
  "is told what it may not do": async () => {
    const [flag] = await searched({});
    await refused(405, () => gp.update({ resourceType: "Flag", id: flag.id, body: flag }));
    await refused(405, () => gp.delete({ resourceType: "Flag", id: flag.id }));
    await refused(405, () => gp.create({ resourceType: "Flag", body: flag }));
  },
  "is told that only JSON is served": () =>
    refused(406, () => gp.search({ resourceType: "Flag", options: { headers: { accept: "application/fhir+xml" } } })),
};

const failures = [];
for (const [name, operation] of Object.entries(operations)) {
  await operation().catch((raised) => failures.push(`${name}: ${raised.stack}`));
}
process.stdout.write(JSON.stringify({ operations: Object.keys(operations).length, failures }));
process.exit(0); // its connections are kept alive
