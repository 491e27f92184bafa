/** The mark of the house: a bollard and the rope around it. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0b6b86" />
      <path
        d="M9 8.5h14M16 8.5v9M7.5 16c.8 5 4.2 7.8 8.5 7.8s7.7-2.8 8.5-7.8"
        fill="none"
        stroke="#fff"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
    </svg>
  );
}
