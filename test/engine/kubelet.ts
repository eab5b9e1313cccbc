import { createServer, type Server } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { type Issued } from "../certificates";
import { type Api, type List, type Resource } from "../cluster/api";
import { type JobRunner } from "../cluster/job-runner";
import { addressOf, listening } from "./world";

/** Serves pods' logs to the API server as kubelets do: the output of the runner's programs. */
export async function serveLogs(api: Api, { runs }: JobRunner, certificate: Issued): Promise<Server> {
    const own = { cert: certificate.certificate, key: certificate.privateKey };
    const server = createServer(own, (request, response) => {
        // /containerLogs/NAMESPACE/POD/CONTAINER?follow=true
        const [, , namespace, pod] = request.url!.split("/");
        const run = runs.find((each) => each.namespace === namespace && each.pod === pod);
        if (run === undefined) {
            response.writeHead(404).end();
            return;
        }
        void (async () => {
            for (let [told, ended] = [0, false]; !ended && !response.destroyed; await sleep(50)) {
                ended = run.exitCode !== undefined;
                response.write(run.log.slice(told));
                told = run.log.length;
            }
            response.end();
        })();
    });
    await listening(server);
    const { host, port } = addressOf(server);
    const { items } = await api.get<List<Resource>>("/api/v1/nodes");
    const status = {
        addresses: [{ type: "InternalIP", address: host }],
        daemonEndpoints: { kubeletEndpoint: { Port: port } },
    };
    for (const { metadata } of items) {
        await api.patch(`/api/v1/nodes/${metadata.name}/status`, { status });
    }
    return server;
}
