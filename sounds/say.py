"""How a prompt is written for the synthesiser, where its words as they are come out wrong."""

SAY = {
    "demo-moreinfo": "Strowjer is a telephone exchange for the home. It connects telephones and modems, and its dial plan says what every number does.",
}
