/** What a page looks like before its code or first answer is here. */
import { Skeleton } from "@mantine/core";

export function PageSkeleton() {
  return (
    <div aria-hidden="true">
      <Skeleton height={28} width={180} mb={24} />
      <Skeleton height={92} mb={16} />
      <Skeleton height={420} />
    </div>
  );
}
