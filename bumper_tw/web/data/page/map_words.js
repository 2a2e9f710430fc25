// What is seen on a map, in words: as the server says it, while the robot goes on.

const LISTED = new Intl.ListFormat("en-GB", { type: "conjunction" });

// A line from a point crosses the outline of the room it is in an odd time.
function isInside(outline, { x, y }) {
  let odd = false;
  outline.forEach(([ax, ay], place) => {
    const [bx, by] = outline[(place + 1) % outline.length];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) odd = !odd;
  });
  return odd;
}

function whereabouts(rooms, robot, docks) {
  if (!robot) return "It is not known where the robot is now.";
  const room = rooms.find((each) => isInside(each.outline, robot));
  const where = room ? ` in the room “${room.name}”` : "";
  if (!docks?.length) return `The robot is${where || " on the map"}.`;
  const far = Math.hypot(robot.x - docks[0].x, robot.y - docks[0].y) / 1000;
  const near = far < 0.5 ? "at its dock" : `${far.toFixed(1)} metres from its dock`;
  return `The robot is${where && `${where},`} ${near}.`;
}

/** What is seen of some rooms, a robot and its docks. */
export function words(rooms, robot, docks) {
  const names = LISTED.format(rooms.map((room) => room.name));
  const listed = rooms.length ? `${rooms.length} ${rooms.length === 1 ? "room" : "rooms"}: ${names}. ` : "";
  return listed + whereabouts(rooms, robot, docks);
}
