/** A path no page answers to. */
import { Button } from "@mantine/core";
import { Compass } from "lucide-react";
import { Link } from "wouter";
import { Empty } from "../shell/Empty";
import { PageHeader } from "../shell/PageHeader";

export function NotFoundPage() {
  return (
    <>
      <PageHeader title="Off the chart" />
      <Empty icon={Compass} title="There is no page at this address">
        <Button component={Link} href="/" variant="default" size="xs">
          Back to the overview
        </Button>
      </Empty>
    </>
  );
}
